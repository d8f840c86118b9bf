#include "admin/change.h"

#include <jansson.h>
#include <stdarg.h>

bool change_done(struct admin_call *call, const char *action, struct str subject, struct str detail, const char *format, ...)
{
    struct text message;
    va_list args;
    text_init(&message, 16384);
    va_start(args, format);
    text_vaddf(&message, format, args);
    va_end(args);
    json_open_object(&call->json);
    json_member_str(&call->json, "message", text_str(&message));
    json_end(&call->json);
    text_release(&message);
    audit_note(call, &(struct audit){.action = action, .subject = subject, .detail = detail, .outcome = S("done")});
    return true;
}

bool change_failed(struct admin_call *call, const char *action, struct str subject, struct str detail)
{
    json_t *answer = json_loadb(call->out.data, call->out.len, 0, NULL);
    const char *message = json_string_value(json_object_get(answer, "message"));
    audit_note(call, &(struct audit){.action = action,
                                     .subject = subject,
                                     .detail = detail,
                                     .outcome = message != NULL ? str_from(message) : S("refused")});
    json_decref(answer);
    return true;
}
