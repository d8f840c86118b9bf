#include "running.h"
#include "test.h"

static void discover_two(struct model *model)
{
    struct arena *arena = &model->arena;
    struct str *routers = arena_array(arena, struct str, 1), *servers = arena_array(arena, struct str, 1);
    routers[0] = S("api@docker");
    servers[0] = S("http://10.0.0.2:8000");
    model->discovered = arena_array(arena, struct discovered, 2);
    model->discovered_count = 2;
    model->discovered[0] = (struct discovered){.provider = S("docker"), .id = S("aa"), .name = S("shop-api-1"), .image = S("shop:1"),
                                               .state = DISCOVERY_SERVED, .routers = {routers, 1}, .servers = {servers, 1}};
    model->discovered[1] = (struct discovered){.provider = S("docker"), .id = S("bb"), .name = S("shop-web-1"),
                                               .state = DISCOVERY_NOT_READY, .mistake = true, .reason = S("nothing listens on 8000"),
                                               .hint = S("listen on 0.0.0.0")};
}

TEST(what_became_of_each_container_is_told)
{
    struct running running;
    running_start(&running, "entryPoints: {web: {address: ':0'}}", discover_two);
    json_t *answer = running_json(&running, "/api/portico/containers", "", 200);
    const json_t *list = json_object_get(answer, "containers");
    assert_int_equal(json_array_size(list), 2);
    const json_t *first = json_array_get(list, 0), *second = json_array_get(list, 1);
    assert_string_equal(json_string_value(json_object_get(first, "state")), "served");
    assert_string_equal(json_string_value(json_array_get(json_object_get(first, "routers"), 0)), "api@docker");
    assert_true(json_is_null(json_object_get(first, "reason")));
    assert_string_equal(json_string_value(json_object_get(second, "state")), "notReady");
    assert_true(json_is_true(json_object_get(second, "mistake")));
    json_decref(answer);
    running_stop(&running);
}

TEST(a_container_that_is_not_as_its_owner_wants_is_a_problem_with_what_to_do)
{
    struct running running;
    running_start(&running, "entryPoints: {web: {address: ':0'}}", discover_two);
    json_t *answer = running_json(&running, "/api/portico/problems", "", 200);
    size_t found = 0, index;
    json_t *one;
    json_array_foreach(answer, index, one) {
        if (strcmp(json_string_value(json_object_get(one, "kind")), "container") != 0)
            continue;
        found++;
        assert_string_equal(json_string_value(json_object_get(json_object_get(one, "subject"), "name")), "shop-web-1");
        assert_string_equal(json_string_value(json_object_get(one, "hint")), "listen on 0.0.0.0");
    }
    assert_int_equal(found, 1);
    json_decref(answer);
    running_stop(&running);
}
