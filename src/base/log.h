/* The application log: what Portico says about itself, one line an event, text or JSON.
 *
 * Threading: any thread may log; a line is written with one write(2), so lines never mix.
 * Folders below `exchange` never log: they return a status or fill a diag. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_FATAL, LOG_PANIC };
enum log_format { LOG_TEXT, LOG_JSON, LOG_NGINX };      /* the last: as nginx's error log has it */

struct log_settings {
    enum log_level level;
    int heard_below;                /* how many levels further down the tap wants to be told of */
    enum log_format format;
    struct str path;     /* empty: standard error */
    bool no_color;       /* colour is used only on a terminal, and never with NO_COLOR set */
};

/* Opens the log; on failure the former one stays and false is returned with errno set. */
bool log_configure(const struct log_settings *settings);
/* Is told of each line as well, without its end; from any thread. NULL: nobody is. */
void log_set_tap(void (*tap)(enum log_level level, struct str line));
/* Opens the file again under its name (SIGUSR1). */
bool log_reopen(void);
bool log_enabled(enum log_level level);
enum log_format log_format_now(void);

/* `fields` is alternating key, value C strings that end with NULL, or just NULL. */
void log_write(enum log_level level, const char *const *fields, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_at(level, ...) \
    do { \
        if (log_enabled(level)) \
            log_write(level, NULL, __VA_ARGS__); \
    } while (0)
/* With fields: log_with(LOG_WARN, FIELDS("service", name, "server", url), "server is down: %s", why). */
#define FIELDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define log_with(level, fields, ...) \
    do { \
        if (log_enabled(level)) \
            log_write(level, fields, __VA_ARGS__); \
    } while (0)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)

#endif
