#include "test.h"

#include "base/option.h"

struct thing {
    struct choice type;
    struct str address;
    int64_t timeout;
};

static const struct choice_type *types(size_t index)
{
    static const struct choice_type list[] = {{.name = "ipAllowList", .alias = "ipWhiteList"}};
    return index == 0 ? &list[0] : NULL;
}

static const struct option options[] = {
    OPTION(CHOICE, struct thing, type, .choices = types),
    OPTION(STR, struct thing, address, .alias = "listen"),
    OPTION_NAMED(DURATION, struct thing, timeout, "timeOut"),
};
static const struct option_table table = OPTION_TABLE_PLAIN(struct thing, options, 3);

TEST(option_find_takes_names_and_aliases_in_any_case)
{
    assert_ptr_equal(option_find(&table, S("ADDRESS")), &options[1]);
    assert_ptr_equal(option_find(&table, S("Listen")), &options[1]);
    assert_ptr_equal(option_find(&table, S("timeout")), &options[2]);
    assert_null(option_find(&table, S("addres")));
    assert_null(option_find(&table, S("")));
    assert_null(option_find(NULL, S("address")));
}

TEST(option_find_leaves_the_choice_to_choice_find)
{
    assert_null(option_find(&table, S("type")));
    const struct option *choice = option_find_choice(&table);
    assert_ptr_equal(choice, &options[0]);
    assert_string_equal(choice_find(choice, S("ipwhitelist"))->name, "ipAllowList");
    assert_null(choice_find(choice, S("other")));
    assert_null(choice_find(NULL, S("other")));
}

TEST(option_type_text_has_words_for_every_type)
{
    struct option option = {.name = "x"};
    for (int type = OPTION_BOOL; type <= OPTION_CHOICE; type++) {
        option.type = (uint8_t)type;
        assert_non_null(option_type_text(&option));
    }
    assert_string_equal(option_type_text(&options[2]), "duration");
}
