#include "exchange/exchange_log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "exchange/error_log.h"
#include "exchange/graph.h"
#include "exchange/visit.h"

static const char *text_of(struct exchange *x, struct str text)
{
    const char *copy = arena_str(&x->arena, text).data;
    return copy != NULL ? copy : "";
}

static const char *server_of(struct exchange *x)
{
    if (x->visit == NULL || x->visit->site == NULL)
        return text_of(x, x->entry != NULL ? x->entry->name : STR_NONE);
    const struct strs *names = &x->visit->site->config->names;
    return text_of(x, names->count != 0 ? names->items[0] : STR_NONE);
}

static const char *request_of(struct exchange *x)
{
    struct str version = http_version_text(x->stream.request.version);
    bool asks = x->original_query.data != NULL;
    return text_of(x, arena_printf(&x->arena, "%.*s %.*s%s%.*s %.*s", STR_ARGS(x->original_method_name),
                                   STR_ARGS(x->original_path), asks ? "?" : "", STR_ARGS(x->original_query),
                                   STR_ARGS(version)));
}

static void log_here(struct exchange *x, enum log_level level, const char *text)
{
    bool is_unix = x->stream.client->unix_socket && !x->client_replaced;
    const char *client = is_unix ? "unix:" : text_of(x, exchange_client_text(x));
    log_write(level,
              FIELDS("client", client, "server", server_of(x), "request", request_of(x), "host",
                     text_of(x, x->original_authority)),
              "%s", text);
}

void exchange_log(struct exchange *x, enum syslog_severity severity, const char *format, ...)
{
    static const enum log_level levels[] = {[SYSLOG_EMERG] = LOG_PANIC, [SYSLOG_ALERT] = LOG_PANIC, [SYSLOG_CRIT] = LOG_FATAL,
                                            [SYSLOG_ERROR] = LOG_ERROR, [SYSLOG_WARN] = LOG_WARN,   [SYSLOG_NOTICE] = LOG_INFO,
                                            [SYSLOG_INFO] = LOG_INFO,   [SYSLOG_DEBUG] = LOG_DEBUG};
    bool named = error_log_is_named(x);
    if (named ? !error_log_wants(x, severity) : !log_enabled(levels[severity]))
        return;
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (named)
        error_log_add(x, severity, "%s", text);
    else
        log_here(x, levels[severity], text);
}
