#include "admin/audit.h"

#include <jansson.h>

#include "test.h"

static struct admin_call call;

static json_t *written(void)
{
    text_clear(&call.out);
    call.json = (struct json){.out = &call.out};
    audit_write(&call.json);
    json_t *entries = json_loadb(call.out.data, call.out.len, 0, NULL);
    assert_non_null(entries);
    return entries;
}

static const char *text_at(json_t *entries, size_t index, const char *name)
{
    return json_string_value(json_object_get(json_array_get(entries, index), name));
}

TEST(audit_keeps_the_latest_in_front_and_lets_the_oldest_go)
{
    admin_call_init(&call, METHOD_POST, S("/x"), STR_NONE);
    call.user = S("op\"s");
    ip_parse(S("2001:db8::1"), &call.peer);
    char subject[32];
    for (unsigned i = 0; i < AUDIT_KEPT + 7; i++) {
        snprintf(subject, sizeof(subject), "thing %u", i);
        audit_note(&call, &(struct audit){.action = "test", .subject = str_from(subject), .outcome = S("done")});
    }
    json_t *entries = written();
    assert_int_equal(json_array_size(entries), AUDIT_KEPT);
    assert_string_equal(text_at(entries, 0, "subject"), "thing 506");
    assert_string_equal(text_at(entries, AUDIT_KEPT - 1, "subject"), "thing 7");
    assert_string_equal(text_at(entries, 0, "user"), "op\"s");
    assert_string_equal(text_at(entries, 0, "client"), "2001:db8::1");
    assert_string_equal(text_at(entries, 0, "detail"), "");
    json_decref(entries);
    admin_call_release(&call);
}

TEST(audit_cuts_what_is_too_long_and_keeps_nothing_of_who_was_denied)
{
    static char long_text[4 * AUDIT_TEXT_MAX];
    memset(long_text, 'x', sizeof(long_text) - 1);
    admin_call_init(&call, METHOD_POST, S("/x"), STR_NONE);
    audit_note(&call, &(struct audit){.action = "long", .detail = str_from(long_text), .outcome = S("done")});
    audit_denied(&call);
    json_t *entries = written();
    assert_string_equal(text_at(entries, 0, "action"), "long");
    assert_int_equal(strlen(text_at(entries, 0, "detail")), AUDIT_TEXT_MAX);
    json_decref(entries);
    admin_call_release(&call);
}
