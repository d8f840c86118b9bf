#include "base/json.h"

#include <math.h>

#include "test.h"

static struct text text;

static struct json begin(void)
{
    text_init(&text, 100000);
    return (struct json){.out = &text};
}

static void expect(const char *wanted)
{
    assert_string_equal(text_c(&text), wanted);
    text_release(&text);
}

TEST(json_nests_and_puts_commas_between)
{
    struct json json = begin();
    json_open_object(&json);
    json_member_str(&json, "name", S("api"));
    json_member_array(&json, "list");
    json_int(&json, -1);
    json_open_object(&json);
    json_end(&json);
    json_open_array(&json);
    json_end(&json);
    json_end(&json);
    json_member_object(&json, "inner");
    json_member_bool(&json, "yes", true);
    json_member_uint(&json, "large", UINT64_MAX);
    json_end(&json);
    json_member_text(&json, "nothing", NULL);
    json_end(&json);
    expect("{\"name\":\"api\",\"list\":[-1,{},[]],\"inner\":{\"yes\":true,\"large\":18446744073709551615},\"nothing\":null}");
}

TEST(json_escapes_keys_and_values)
{
    struct json json = begin();
    json_open_object(&json);
    json_member_str(&json, "a\"b", S("line\nend\x01"));
    json_end(&json);
    expect("{\"a\\\"b\":\"line\\nend\\u0001\"}");
}

TEST(json_has_no_word_for_what_is_not_finite)
{
    struct json json = begin();
    json_open_array(&json);
    json_number(&json, NAN);
    json_number(&json, INFINITY);
    json_number(&json, 0.25);
    json_number(&json, 1e21);
    json_end(&json);
    expect("[null,null,0.25,1e+21]");
}

TEST(json_writes_times_as_rfc_3339)
{
    struct json json = begin();
    json_open_array(&json);
    json_time(&json, 1795341600);
    json_time(&json, 0);
    json_end(&json);
    expect("[\"2026-11-22T10:00:00Z\",null]");
}

TEST(json_takes_text_made_elsewhere_as_a_value)
{
    struct json json = begin();
    json_open_array(&json);
    json_raw(&json, S("{\"x\":1}"));
    json_raw(&json, S("2"));
    json_end(&json);
    expect("[{\"x\":1},2]");
}
