/* Who changed what, and how that went: a line in the log each, and the last AUDIT_KEPT of them for the API. Control thread.
 *
 * Entries live in memory alone: the log is what lasts. */
#ifndef ADMIN_AUDIT_H
#define ADMIN_AUDIT_H

#include "admin/call.h"

#define AUDIT_KEPT 500
#define AUDIT_TEXT_MAX ((size_t)1024)     /* bytes of each text that are kept */

struct audit {
    const char *action;                   /* "server.state": a literal */
    struct str subject;                   /* "api@file http://10.0.0.1:80" */
    struct str detail;                    /* what was asked for: "draining" */
    struct str outcome;                   /* "done", or why not */
};

/* The user and the client are the call's. */
void audit_note(const struct admin_call *call, const struct audit *audit);
/* Somebody without the role tried: to the log alone, so that he cannot push what was done out of memory. */
void audit_denied(const struct admin_call *call);
/* An array of {at, user, client, action, subject, detail, outcome}, newest first. */
void audit_write(struct json *json);

#endif
