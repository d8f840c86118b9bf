/* Lists of fields, and the ids of well-known names. */
#include "test.h"

#include <stdlib.h>

#include "http/fields.h"

static struct arena arena;
static struct fields fields;

static void begin(void)
{
    arena_init(&arena, ARENA_UNLIMITED);
    fields_init(&fields, &arena, 2);
}

static void end(void)
{
    arena_release(&arena);
}

static enum field_id identify(struct str name)
{
    char *exact = malloc(name.len + (name.len == 0));
    memcpy(exact, name.data, name.len);
    enum field_id id = field_identify(exact, name.len);
    free(exact);
    return id;
}

TEST(every_registered_name_is_identified_in_any_case)
{
    for (int id = FIELD_OTHER + 1; id < FIELD_COUNT; id++) {
        struct str name = field_name((enum field_id)id), title = field_title((enum field_id)id);
        char upper[32];
        for (size_t i = 0; i < name.len; i++)
            upper[i] = ascii_alpha(name.data[i]) ? (char)(name.data[i] & ~0x20) : name.data[i];
        assert_int_equal(identify(name), id);
        assert_int_equal(identify(title), id);
        assert_int_equal(identify(str_of(upper, name.len)), id);
        assert_true(str_equal_nocase(name, title));
    }
}

TEST(names_that_differ_in_one_byte_are_others)
{
    for (int id = FIELD_OTHER + 1; id < FIELD_COUNT; id++) {
        struct str name = field_name((enum field_id)id);
        for (size_t place = 0; place < name.len; place++) {
            for (unsigned c = 0; c < 256; c++) {
                char changed[32];
                memcpy(changed, name.data, name.len);
                changed[place] = (char)c;
                if (ascii_lower((char)c) != name.data[place])
                    assert_int_not_equal(identify(str_of(changed, name.len)), id);
            }
        }
        assert_int_not_equal(identify(str_first(name, name.len - 1)), id);
    }
    assert_int_equal(identify(S("")), FIELD_OTHER);
    assert_int_equal(identify(S("x")), FIELD_OTHER);
    assert_int_equal(identify(S("accept-language")), FIELD_OTHER);
}

TEST(titles_are_written_as_is_the_custom)
{
    assert_str_equal(field_title(FIELD_CONTENT_LENGTH), S("Content-Length"));
    assert_str_equal(field_title(FIELD_ETAG), S("ETag"));
    assert_str_equal(field_title(FIELD_TE), S("TE"));
    assert_str_equal(field_title(FIELD_WWW_AUTHENTICATE), S("WWW-Authenticate"));
    assert_str_equal(field_title(FIELD_X_FORWARDED_FOR), S("X-Forwarded-For"));
}

TEST(fields_are_found_by_id_and_by_name_in_any_case)
{
    begin();
    assert_true(fields_add(&fields, S("accept"), S("a")));
    assert_true(fields_add(&fields, S("X-One"), S("b")));
    assert_true(fields_add(&fields, S("Accept"), S("c")));
    assert_true(fields_add_id(&fields, FIELD_VIA, S("d")));
    assert_true(fields_has(&fields, FIELD_ACCEPT));
    assert_false(fields_has(&fields, FIELD_HOST));
    assert_str_equal(fields_value(&fields, FIELD_ACCEPT), S("a"));
    assert_str_equal(fields_value_name(&fields, S("ACCEPT")), S("a"));
    assert_str_equal(fields_value_name(&fields, S("x-oNE")), S("b"));
    assert_str_equal(fields_value_name(&fields, S("via")), S("d"));
    assert_null(fields_value(&fields, FIELD_HOST).data);
    assert_null(fields_value_name(&fields, S("x-on")).data);
    end();
}

TEST(values_of_one_name_are_joined)
{
    begin();
    fields_add_id(&fields, FIELD_VIA, S("a"));
    assert_str_equal(fields_joined(&fields, FIELD_VIA, &arena), S("a"));
    fields_add_id(&fields, FIELD_HOST, S("x"));
    fields_add_id(&fields, FIELD_VIA, S(""));
    fields_add_id(&fields, FIELD_VIA, S("c, d"));
    assert_str_equal(fields_joined(&fields, FIELD_VIA, &arena), S("a, , c, d"));
    assert_null(fields_joined(&fields, FIELD_AUTHORIZATION, &arena).data);
    end();
}

TEST(removed_fields_are_passed_over)
{
    begin();
    for (int i = 0; i < 20; i++) {
        fields_add(&fields, S("X-Many"), S("v"));
        fields_add_id(&fields, FIELD_COOKIE, S("v"));
    }
    assert_int_equal(fields_remove(&fields, FIELD_COOKIE), 20);
    assert_int_equal(fields_remove(&fields, FIELD_COOKIE), 0);
    assert_false(fields_has(&fields, FIELD_COOKIE));
    assert_null(fields_find(&fields, FIELD_COOKIE));
    assert_int_equal(fields_remove_name(&fields, S("x-many")), 20);
    FIELDS_FOREACH(&fields, field)
        fail_msg("%.*s is still there", STR_ARGS(field->name));
    end();
}

TEST(set_leaves_one_field)
{
    begin();
    fields_add(&fields, S("host"), S("a"));
    fields_add(&fields, S("HOST"), S("b"));
    assert_true(fields_set(&fields, FIELD_HOST, S("c")));
    assert_true(fields_set_name(&fields, S("X"), S("1")));
    assert_true(fields_set_name(&fields, S("x"), S("2")));
    assert_str_equal(fields_joined(&fields, FIELD_HOST, &arena), S("c"));
    uint32_t left = 0;
    FIELDS_FOREACH(&fields, field)
        left++;
    assert_int_equal(left, 2);
    assert_str_equal(fields_value_name(&fields, S("X")), S("2"));
    end();
}

TEST(adding_fails_when_the_budget_is_exhausted)
{
    arena_init(&arena, 0);
    fields_init(&fields, &arena, 4);
    assert_false(fields_add(&fields, S("a"), S("b")));
    assert_int_equal(fields.count, 0);
    end();
}

TEST(hop_by_hop_fields_go_with_what_connection_lists)
{
    begin();
    fields_add(&fields, S("Connection"), S("close, X-Hop , host, authorization,x-forwarded-for"));
    fields_add(&fields, S("connection"), S("TE, x-other"));
    fields_add(&fields, S("X-Hop"), S("1"));
    fields_add(&fields, S("x-other"), S("1"));
    fields_add(&fields, S("X-Kept"), S("1"));
    fields_add(&fields, S("Host"), S("a"));
    fields_add(&fields, S("Authorization"), S("b"));
    fields_add(&fields, S("X-Forwarded-For"), S("c"));
    fields_add(&fields, S("Keep-Alive"), S("1"));
    fields_add(&fields, S("Proxy-Connection"), S("1"));
    fields_add(&fields, S("Transfer-Encoding"), S("chunked"));
    fields_add(&fields, S("Upgrade"), S("h2c"));
    fields_add(&fields, S("TE"), S("gzip;q=0.5, Trailers"));
    fields_add(&fields, S("Trailer"), S("X-Sum"));
    struct fields copy = fields;
    copy.items = arena_alloc(&arena, fields.count * sizeof(*copy.items));
    copy.capacity = fields.count;
    memcpy(copy.items, fields.items, fields.count * sizeof(*copy.items));

    fields_remove_hop_by_hop(&fields, false);
    uint32_t left = 0;
    FIELDS_FOREACH(&fields, field)
        left++;
    assert_int_equal(left, 5);
    assert_str_equal(fields_value_name(&fields, S("x-kept")), S("1"));
    assert_str_equal(fields_value(&fields, FIELD_HOST), S("a"));
    assert_str_equal(fields_value(&fields, FIELD_AUTHORIZATION), S("b"));
    assert_str_equal(fields_value(&fields, FIELD_X_FORWARDED_FOR), S("c"));
    assert_str_equal(fields_value(&fields, FIELD_TRAILER), S("X-Sum"));

    fields_remove_hop_by_hop(&copy, true);
    assert_str_equal(fields_value(&copy, FIELD_TE), S("trailers"));
    assert_false(fields_has(&copy, FIELD_CONNECTION));
    end();
}

TEST(a_ready_line_is_a_field_that_may_be_copied_as_it_stands)
{
    begin();
    assert_true(fields_add_line(&fields, S("traceparent: 00-1\r\n"), 11));
    const struct field *field = fields_find_name(&fields, S("Traceparent"));
    assert_non_null(field);
    assert_str_equal(field->name, S("traceparent"));
    assert_str_equal(field->value, S("00-1"));
    assert_true(field->verbatim && fields_has(&fields, FIELD_OTHER));
    end();
}

TEST(ready_fields_are_found_by_their_ids_and_grow_the_list)
{
    static const char lines[] = "Content-Type: text/plain\r\nX-A: b\r\n";
    static const struct field ready[] = {FIELD_READY(FIELD_CONTENT_TYPE, lines, 12, 10),
                                         FIELD_READY(FIELD_OTHER, lines + 26, 3, 1)};
    begin();
    for (int i = 0; i < 20; i++)
        assert_true(fields_add_ready(&fields, ready, 2));
    assert_int_equal(fields.count, 40);
    assert_str_equal(fields_value(&fields, FIELD_CONTENT_TYPE), S("text/plain"));
    assert_str_equal(fields_value_name(&fields, S("x-a")), S("b"));
    assert_true(fields.items[39].verbatim);
    end();
}
