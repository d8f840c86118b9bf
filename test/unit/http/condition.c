/* Conditional requests. */
#include "test.h"

#include "http/range.h"

#define MODIFIED "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER "Sat, 05 Nov 1994 08:49:37 GMT"
#define LATER "Mon, 07 Nov 1994 08:49:37 GMT"
#define MODIFIED_SECONDS 784111777

struct condition {
    enum method method;
    const char *name, *value;
    const char *second_name, *second_value;
    const char *etag;
    enum precondition expected;
};

static void make_request(struct request *request, struct arena *arena, enum method method)
{
    *request = (struct request){.method = method};
    arena_init(arena, ARENA_UNLIMITED);
    fields_init(&request->fields, arena, 2);
}

TEST(conditions_are_evaluated_in_the_order_of_the_standard)
{
    static const struct condition table[] = {
        {METHOD_GET, "X", "y", NULL, NULL, "\"a\"", CONDITION_PASS},
        {METHOD_GET, "If-None-Match", "\"a\"", NULL, NULL, "\"a\"", CONDITION_NOT_MODIFIED},
        {METHOD_HEAD, "If-None-Match", "\"x\", W/\"a\"", NULL, NULL, "\"a\"", CONDITION_NOT_MODIFIED},
        {METHOD_GET, "If-None-Match", "\"a,b\"", NULL, NULL, "W/\"a,b\"", CONDITION_NOT_MODIFIED},
        {METHOD_GET, "If-None-Match", "*", NULL, NULL, "\"a\"", CONDITION_NOT_MODIFIED},
        {METHOD_PUT, "If-None-Match", "*", NULL, NULL, "\"a\"", CONDITION_FAILED},
        {METHOD_GET, "If-None-Match", "\"b\"", NULL, NULL, "\"a\"", CONDITION_PASS},
        {METHOD_GET, "If-None-Match", "\"b\"", "If-Modified-Since", LATER, "\"a\"", CONDITION_PASS},
        {METHOD_GET, "If-Modified-Since", MODIFIED, NULL, NULL, NULL, CONDITION_NOT_MODIFIED},
        {METHOD_GET, "If-Modified-Since", LATER, NULL, NULL, NULL, CONDITION_NOT_MODIFIED},
        {METHOD_GET, "If-Modified-Since", EARLIER, NULL, NULL, NULL, CONDITION_PASS},
        {METHOD_GET, "If-Modified-Since", "yesterday", NULL, NULL, NULL, CONDITION_PASS},
        {METHOD_POST, "If-Modified-Since", LATER, NULL, NULL, NULL, CONDITION_PASS},
        {METHOD_GET, "If-Match", "\"a\"", NULL, NULL, "\"a\"", CONDITION_PASS},
        {METHOD_GET, "If-Match", "W/\"a\"", NULL, NULL, "W/\"a\"", CONDITION_FAILED},
        {METHOD_GET, "If-Match", "\"b\"", NULL, NULL, "\"a\"", CONDITION_FAILED},
        {METHOD_GET, "If-Match", "*", NULL, NULL, "\"a\"", CONDITION_PASS},
        {METHOD_GET, "If-Match", "\"a\"", "If-Unmodified-Since", EARLIER, "\"a\"", CONDITION_PASS},
        {METHOD_GET, "If-Match", "\"a\"", "If-None-Match", "\"a\"", "\"a\"", CONDITION_NOT_MODIFIED},
        {METHOD_GET, "If-Unmodified-Since", EARLIER, NULL, NULL, NULL, CONDITION_FAILED},
        {METHOD_GET, "If-Unmodified-Since", MODIFIED, NULL, NULL, NULL, CONDITION_PASS},
        {METHOD_GET, "If-Unmodified-Since", "never", NULL, NULL, NULL, CONDITION_PASS},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct request request;
        struct arena arena;
        make_request(&request, &arena, table[i].method);
        fields_add(&request.fields, str_from(table[i].name), str_from(table[i].value));
        if (table[i].second_name != NULL)
            fields_add(&request.fields, str_from(table[i].second_name), str_from(table[i].second_value));
        if (condition_check(&request, str_from(table[i].etag), MODIFIED_SECONDS) != table[i].expected)
            fail_msg("%s: %s", table[i].name, table[i].value);
        arena_release(&arena);
    }
}

TEST(range_applies_only_to_the_same_representation)
{
    static const struct {
        const char *value, *etag;
        bool applies;
    } table[] = {
        {"\"a\"", "\"a\"", true},    {"\"b\"", "\"a\"", false}, {"W/\"a\"", "W/\"a\"", false},
        {MODIFIED, "\"a\"", true},   {LATER, "\"a\"", false},   {EARLIER, "\"a\"", false},
        {"garbage", "\"a\"", false},
    };
    struct request request;
    struct arena arena;
    make_request(&request, &arena, METHOD_GET);
    assert_true(condition_range_applies(&request, S("\"a\""), MODIFIED_SECONDS));
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        fields_set(&request.fields, FIELD_IF_RANGE, str_from(table[i].value));
        assert_int_equal(condition_range_applies(&request, str_from(table[i].etag), MODIFIED_SECONDS),
                         table[i].applies);
    }
    fields_set(&request.fields, FIELD_IF_RANGE, S(MODIFIED));
    assert_false(condition_range_applies(&request, S("\"a\""), -1));
    arena_release(&arena);
}
