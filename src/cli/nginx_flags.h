/* nginx's command line. */
#ifndef CLI_NGINX_FLAGS_H
#define CLI_NGINX_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "provider/nginx.h"

#define NGINX_LOG_PATH "stderr"
#define NGINX_PID_PATH "/run/nginx.pid"

/* Views of the words. */
struct nginx_flags {
    bool help, version, configure, test, dump, quiet;
    const char *prefix, *file, *error_log, *directives, *signal;     /* NULL: not given */
};

/* False after a message on standard error. */
bool nginx_flags_read(const char *const *words, size_t count, struct nginx_flags *ret_flags);
/* Where they say that the configuration is. `ret_log`: the log until the configuration names one, NULL: standard error. In `arena`. */
struct nginx_source nginx_flags_source(const struct nginx_flags *flags, struct arena *arena, const char **ret_log);
/* The version, and what else they ask for, on standard error. */
void nginx_flags_show(const struct nginx_flags *flags);

#endif
