/* What the routes that change something have in common. Control thread. */
#ifndef ADMIN_CHANGE_H
#define ADMIN_CHANGE_H

#include "admin/audit.h"
#include "exchange/service.h"

/* Answers with 200 and a message, and notes it as done. Gives true, as admin_refuse does. */
bool change_done(struct admin_call *call, const char *action, struct str subject, struct str detail, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* What admin_refuse or body_read answered is noted as the outcome. Gives true. */
bool change_failed(struct admin_call *call, const char *action, struct str subject, struct str detail);

#endif
