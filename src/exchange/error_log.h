/* Messages about requests, in the logs that their router names (http.errorLogs), in the form of nginx's error log:
 *
 *     2026/01/02 03:04:05 [error] 1234#1240: *7 message, client: 1.2.3.4, server: x, request: "GET / HTTP/1.1", host: "y"
 *
 * Whoever lets a request fail for a reason that only he knows in full says so here; what nobody has told is told at the request's end
 * from its status. A request whose router names no log costs one look. Worker's thread. */
#ifndef EXCHANGE_ERROR_LOG_H
#define EXCHANGE_ERROR_LOG_H

#include "base/str.h"
#include "base/status.h"
#include "net/syslog.h"

struct exchange;

/* Does its router name any? */
bool error_log_is_named(const struct exchange *x);
/* The graver the lower: those of syslog (enum syslog_severity). */
bool error_log_wants(const struct exchange *x, enum syslog_severity level);
/* `error_log_add(x, SYSLOG_ERROR, "open() \"%.*s\" failed (2: No such file or directory)", ...)`. */
void error_log_add(struct exchange *x, enum syslog_severity level, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* An attempt at a server has failed. */
void error_log_attempt(struct exchange *x, enum status why);
/* At the end: why it failed, unless that was told. */
void error_log_end(struct exchange *x);

#endif
