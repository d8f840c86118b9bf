#include "admin/call.h"

#include "test.h"

static bool echo(struct admin_call *call)
{
    json_open_object(&call->json);
    json_member_str(&call->json, "first", call->parameters[0]);
    json_member_str(&call->json, "second", call->parameters[1]);
    json_end(&call->json);
    return true;
}
static const struct admin_route get_route = {
    .method = "GET", .path = "/test/things/{name}/of/{owner}", .summary = "Says what it was asked.", .answer = echo};
REGISTER(admin_route, get_route);
static const struct admin_route post_route = {.method = "POST", .path = "/test/things", .summary = "Takes a thing.", .answer = echo};
REGISTER(admin_route, post_route);

static struct admin_call call;

static const char *ask(enum method method, const char *path, const char *query)
{
    admin_call_init(&call, method, str_from(path), str_from(query));
    call.content_type = S("application/json; charset=utf-8");
    assert_true(admin_answer(&call));
    return text_c(&call.out);
}

TEST(call_finds_its_route_and_decodes_what_stands_in_the_path)
{
    assert_string_equal(ask(METHOD_GET, "/test/things/api%40file/of/a%2Fb", ""), "{\"first\":\"api@file\",\"second\":\"a/b\"}");
    assert_int_equal(call.status, 200);
    admin_call_release(&call);
    ask(METHOD_HEAD, "/test/things/a/of/b", "");
    assert_int_equal(call.status, 200);
    admin_call_release(&call);
}

TEST(call_without_a_route_is_404_and_with_another_method_405)
{
    static const char *const unknown[] = {"/test/things/a/of", "/test/things/a/of/b/c", "/test/things/a/of/", "/", "", "/test/things/a/off/b",
                                          "/test/things/%zz/of/b"};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        ask(METHOD_GET, unknown[i], "");
        assert_int_equal(call.status, 404);
        admin_call_release(&call);
    }
    assert_string_equal(ask(METHOD_DELETE, "/test/things", ""), "{\"message\":\"/test/things does not take DELETE\"}");
    assert_int_equal(call.status, 405);
    assert_true(str_equal(call.allow, S("POST")));
    admin_call_release(&call);
    ask(METHOD_POST, "/test/things/a/of/b", "");
    assert_true(str_equal(call.allow, S("GET, HEAD")));
    admin_call_release(&call);
}

TEST(call_that_writes_needs_the_role_and_json)
{
    ask(METHOD_POST, "/test/things", "");
    assert_int_equal(call.status, 403);
    admin_call_release(&call);
    admin_call_init(&call, METHOD_POST, S("/test/things"), STR_NONE);
    call.may_write = true;
    call.content_type = S("text/plain");
    assert_true(admin_answer(&call));
    assert_int_equal(call.status, 415);
    call.content_type = S("application/json");
    call.status = 200;
    text_clear(&call.out);
    call.json = (struct json){.out = &call.out};
    assert_true(admin_answer(&call));
    assert_int_equal(call.status, 200);
    admin_call_release(&call);
}

TEST(call_reads_its_query)
{
    struct str value;
    admin_call_init(&call, METHOD_GET, S("/"), S("search=a%20b+c&page=7&bad=%zz&large=1000&empty="));
    assert_true(admin_query(&call, "search", &value));
    assert_true(str_equal(value, S("a b c")));
    assert_true(admin_query(&call, "empty", &value));
    assert_int_equal(value.len, 0);
    assert_false(admin_query(&call, "bad", &value));
    assert_false(admin_query(&call, "absent", &value));
    assert_int_equal(admin_query_int(&call, "page", 1, 100, 1), 7);
    assert_int_equal(admin_query_int(&call, "large", 1, 100, 1), 1);
    assert_int_equal(admin_query_int(&call, "search", 1, 100, 5), 5);
    admin_call_release(&call);
}

TEST(call_that_is_refused_says_nothing_else)
{
    admin_call_init(&call, METHOD_GET, S("/"), STR_NONE);
    json_open_array(&call.json);
    json_int(&call.json, 1);
    assert_true(admin_refuse(&call, 422, "'%s' is \"no\" number", "x"));
    assert_string_equal(text_c(&call.out), "{\"message\":\"'x' is \\\"no\\\" number\"}");
    assert_int_equal(call.status, 422);
    admin_call_release(&call);
}
