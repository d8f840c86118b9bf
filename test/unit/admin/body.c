#include "admin/body.h"

#include "test.h"

static struct admin_call call;

static const char *const words[] = {"ready", "draining", NULL};
static const struct body_member members[] = {
    {.name = "on", .type = BODY_BOOL, .required = true},
    {.name = "weight", .type = BODY_INT, .nullable = true, .min = 0, .max = 9},
    {.name = "state", .type = BODY_TEXT, .nullable = true, .words = words},
    {.name = "name", .type = BODY_TEXT},
};

static json_t *read(const char *body)
{
    admin_call_init(&call, METHOD_POST, S("/x"), STR_NONE);
    call.body = str_from(body);
    return body_read(&call, members, sizeof(members) / sizeof(members[0]));
}

static void assert_refused(const char *body, const char *why)
{
    assert_null(read(body));
    assert_int_equal(call.status, 422);
    if (strstr(text_c(&call.out), why) == NULL)
        fail_msg("no '%s' in %s", why, text_c(&call.out));
    admin_call_release(&call);
}

TEST(body_with_known_members_of_the_right_kinds_is_taken)
{
    json_t *body = read("{\"on\": false, \"weight\": 9, \"state\": null, \"name\": \"a\"}");
    assert_non_null(body);
    assert_int_equal(call.status, 200);
    assert_int_equal(call.out.len, 0);
    assert_true(json_is_false(json_object_get(body, "on")));
    json_decref(body);
    admin_call_release(&call);
}

TEST(body_that_is_no_object_or_no_json_is_refused)
{
    assert_refused("", "no JSON object");
    assert_refused("{\"on\": true", "no JSON object");
    assert_refused("{\"on\": true} x", "no JSON object");
    assert_refused("[true]", "JSON object");
    assert_refused("{\"on\": true, \"on\": false}", "uplicate");
}

TEST(body_with_an_unknown_member_is_refused_with_a_suggestion)
{
    assert_refused("{\"on\": true, \"wieght\": 1}", "did you mean 'weight'?");
    assert_refused("{\"on\": true, \"elephant\": 1}", "unknown member 'elephant'\"");
}

TEST(body_with_a_value_that_will_not_do_is_refused_in_words)
{
    assert_refused("{}", "'on' is missing");
    assert_refused("{\"on\": null}", "'on' is to be true or false\"");
    assert_refused("{\"on\": true, \"weight\": 1.5}", "'weight' is to be a whole number, or null");
    assert_refused("{\"on\": true, \"weight\": 10}", "between 0 and 9");
    assert_refused("{\"on\": true, \"state\": \"drained\"}", "one of 'ready', 'draining', not 'drained'");
    assert_refused("{\"on\": true, \"name\": \"\"}", "'name' must not be empty");
}
