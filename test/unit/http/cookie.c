/* Cookies. */
#include "test.h"

#include "http/cookie.h"

static struct arena arena;
static struct fields fields;

static void begin(void)
{
    arena_init(&arena, ARENA_UNLIMITED);
    fields_init(&fields, &arena, 4);
    fields_add(&fields, S("Cookie"), S("a=1; bb=2;c= x=y ;a=3"));
    fields_add(&fields, S("X"), S("a=9"));
    fields_add(&fields, S("cookie"), S("d=\"4\"; flag"));
}

static void end(void)
{
    arena_release(&arena);
}

TEST(cookie_is_the_first_of_its_name_over_all_fields)
{
    begin();
    assert_str_equal(cookie_value(&fields, S("a")), S("1"));
    assert_str_equal(cookie_value(&fields, S("bb")), S("2"));
    assert_str_equal(cookie_value(&fields, S("c")), S(" x=y"));
    assert_str_equal(cookie_value(&fields, S("d")), S("\"4\""));
    assert_null(cookie_value(&fields, S("b")).data);
    assert_null(cookie_value(&fields, S("A")).data);
    assert_null(cookie_value(&fields, S("flag")).data);
    end();
}

TEST(cookie_is_taken_out_and_the_others_stay)
{
    begin();
    cookie_remove(&fields, S("a"), &arena);
    assert_null(cookie_value(&fields, S("a")).data);
    assert_str_equal(fields_joined(&fields, FIELD_COOKIE, &arena), S("bb=2; c= x=y, d=\"4\"; flag"));
    assert_str_equal(fields_value_name(&fields, S("x")), S("a=9"));
    end();
}

TEST(last_cookie_takes_the_field_with_it)
{
    begin();
    fields_set(&fields, FIELD_COOKIE, S("only=1"));
    cookie_remove(&fields, S("other"), &arena);
    assert_str_equal(cookie_value(&fields, S("only")), S("1"));
    cookie_remove(&fields, S("only"), &arena);
    assert_false(fields_has(&fields, FIELD_COOKIE));
    assert_null(fields_find(&fields, FIELD_COOKIE));
    end();
}
