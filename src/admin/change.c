#include "admin/change.h"

#include <jansson.h>

bool change_done(struct admin_call *call, const char *action, struct str subject, struct str detail, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    admin_put_message(call, format, arguments);
    va_end(arguments);
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
