#include "test.h"

#include "middleware/rig.h"

static struct rig rig;

TEST(chain_names_its_members)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "chain", "middlewares: [auth, limit@file]"));
    const struct strs *members = rig.m.type->members(rig.m.options);
    assert_int_equal(members->count, 2);
    assert_str_equal(members->items[1], S("limit@file"));
    assert_false(rig_configure(&rig, "chain", "{}"));
    rig_release(&rig);
}

/* What the tables give users to read, and what the snapshot relies on. */
TEST(every_middleware_describes_itself)
{
    REGISTRY_FOREACH(middleware_type, const struct middleware_type, it)
    {
        const struct choice_type *choice = &(*it)->choice;
        assert_non_null(choice->table);
        assert_non_null(choice->table->summary);
        assert_ptr_equal(middleware_find(str_from(choice->name)), *it);
        for (size_t i = 0; i < choice->table->count; i++)
            assert_non_null(choice->table->options[i].help);
    }
    assert_ptr_equal(middleware_find(S("IPWHITELIST")), middleware_find(S("ipAllowList")));
}
