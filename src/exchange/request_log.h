/* The named logs of a router (model/request_log.h), ready to be written to. Made by snapshot/, const and shared by all workers.
 * Writing: worker's thread, at the exchange's end. */
#ifndef EXCHANGE_REQUEST_LOG_H
#define EXCHANGE_REQUEST_LOG_H

#include "exchange/log_format.h"
#include "exchange/text_template.h"
#include "observe/line_log.h"
#include "observe/log_files.h"

/* One access log. */
struct request_log {
    struct line_log *out;                         /* NULL: the name has variables */
    const struct text_template *path;             /* then */
    struct log_files *files;                      /* then: those that are open */
    const struct line_format *format;
    const struct text_template *condition;        /* NULL: always */
};

struct request_error_log {
    struct line_log *out;
    int level;                                    /* enum syslog_severity: the least grave that is written */
};

struct request_logs {
    struct request_log **access;
    struct request_error_log **errors;
    unsigned access_count, error_count;
    int error_level;                              /* the least grave that any of them takes; -1: none */
};

/* The logs of an exchange: its router's, else those of who takes what nobody takes; NULL: none. */
const struct request_logs *request_logs_of(const struct exchange *x);
/* Its lines, one for each log that wants it. */
void request_log_write(struct exchange *x);

#endif
