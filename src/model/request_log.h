/* What a configuration says of named logs of requests: lines of a form of the user's own for each request, and messages about requests
 * that went wrong. Routers name those that theirs go to. Lives in the model's arena; read-only. */
#ifndef MODEL_REQUEST_LOG_H
#define MODEL_REQUEST_LOG_H

#include "base/option.h"

struct syslog_config {
    const struct node *origin;
    struct str server;              /* address or unix:path */
    int facility, severity;         /* severity -1: the message's own */
    struct str tag;
    bool no_hostname;
};

struct log_file_cache {             /* of files whose names have variables; all 0: each line opens its file */
    const struct node *origin;
    int64_t max, min_uses;
    int64_t inactive, valid;        /* ns */
};

enum log_escape { LOG_ESCAPE_DEFAULT, LOG_ESCAPE_JSON, LOG_ESCAPE_NONE };

struct access_log_output {          /* http.accessLogs.NAME */
    const struct node *origin;
    struct str file_path;           /* may have variables; empty: syslog */
    struct syslog_config *syslog;   /* NULL: a file */
    struct str format;              /* a template */
    int escape;                     /* enum log_escape */
    struct str condition;           /* a template; empty: always. Else: when it is neither empty nor "0" */
    int64_t buffer;                 /* bytes */
    int64_t flush;                  /* ns */
    int64_t gzip;                   /* level; 0: plain */
    struct log_file_cache file_cache;
};

struct error_log_output {           /* http.errorLogs.NAME */
    const struct node *origin;
    struct str file_path;           /* "stderr" too; empty: syslog */
    struct syslog_config *syslog;
    int level;                      /* enum error_level (exchange/error_log.h): the least grave that is written */
};

#define LOG_FORMAT_COMBINED "${remote_addr} - ${remote_user} [${time_local}] \"${request}\" ${status} ${body_bytes_sent} " \
                            "\"${http_referer}\" \"${http_user_agent}\""

extern const struct option_table access_log_output_table, error_log_output_table;

#endif
