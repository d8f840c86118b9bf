#include "exchange/error_log.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "exchange/exchange.h"
#include "exchange/graph.h"
#include "exchange/request_log.h"
#include "exchange/visit.h"

#define LINE_BYTES_MAX ((size_t)16384)

static const char *const level_names[] = {"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"};

bool error_log_is_named(const struct exchange *x)
{
    const struct request_logs *logs = request_logs_of(x);
    return logs != NULL && logs->error_count != 0;
}

bool error_log_wants(const struct exchange *x, enum syslog_severity level)
{
    const struct request_logs *logs = request_logs_of(x);
    return logs != NULL && (int)level <= logs->error_level;
}

/* ---- a line ---- */

/* What a client sent cannot end the line. */
static void add_clean(struct text *out, struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c < ' ' || c == 0x7f)
            text_addf(out, "\\x%02X", c);
        else
            text_add_char(out, (char)c);
    }
}

static void add_target(struct text *out, struct str path, struct str query)
{
    add_clean(out, path);
    if (query.data != NULL)
        text_add_char(out, '?');
    add_clean(out, query);
}

static void add_quoted(struct text *out, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    text_addf(out, ", %s: \"", name);
    add_clean(out, value);
    text_add_char(out, '"');
}

static struct str site_name(const struct exchange *x)
{
    const struct site *site = x->visit != NULL && x->visit->site != NULL ? x->visit->site : x->router != NULL ? x->router->site : NULL;
    return site != NULL && site->config->names.count != 0 ? site->config->names.items[0] : STR_NONE;
}

static void add_upstream(struct exchange *x, struct text *out)
{
    const struct server *server = x->server != NULL ? x->server : x->asked;
    const struct request *request = exchange_request(x);
    if (server == NULL)
        return;
    text_add(out, S(", upstream: \""));
    add_clean(out, server->url);
    add_target(out, request->path, request->query);
    text_add_char(out, '"');
}

/* Who asked for what, and of whom it was asked. */
static void add_circumstances(struct exchange *x, struct text *out)
{
    /* A head that could not be read has told nothing of who is behind the peer. */
    struct str client = x->times.routed != 0 ? exchange_client_text(x) : exchange_peer_text(x);
    text_addf(out, ", client: %.*s, server: %.*s", STR_ARGS(client), STR_ARGS(site_name(x)));
    if (x->original_method_name.len == 0)
        return;
    text_add(out, S(", request: \""));
    add_clean(out, x->original_method_name);
    text_add_char(out, ' ');
    add_target(out, x->original_path, x->original_query);
    text_addf(out, " %.*s\"", STR_ARGS(http_version_text(exchange_request(x)->version)));
    add_upstream(x, out);
    add_quoted(out, "host", fields_value(&exchange_request(x)->fields, FIELD_HOST).len != 0
                                ? fields_value(&exchange_request(x)->fields, FIELD_HOST)
                                : x->original_authority);
    add_quoted(out, "referrer", fields_value(&exchange_request(x)->fields, FIELD_REFERER));
}

static void begin_line(struct exchange *x, enum syslog_severity level, struct text *out)
{
    time_t seconds = (time_t)(x->worker->loop.wall / TIME_S);
    struct tm local;
    char date[32];
    localtime_r(&seconds, &local);
    text_add(out, str_of(date, strftime(date, sizeof(date), "%Y/%m/%d %H:%M:%S", &local)));
    text_addf(out, " [%s] %d#%d: *%llu ", level_names[level], (int)getpid(), (int)gettid(),
              (unsigned long long)x->stream.client->number);
}

static void tell(struct exchange *x, enum syslog_severity level, struct str line)
{
    const struct request_logs *logs = request_logs_of(x);
    for (unsigned i = 0; i < logs->error_count; i++)
        if ((int)level <= logs->errors[i]->level)
            line_log_write(logs->errors[i]->out, level, line);
}

void error_log_add(struct exchange *x, enum syslog_severity level, const char *format, ...)
{
    x->error_told = x->error_told || level <= SYSLOG_ERROR;
    if (!error_log_wants(x, level))
        return;
    struct text line;
    va_list args;
    text_init(&line, LINE_BYTES_MAX);
    begin_line(x, level, &line);
    va_start(args, format);
    text_vaddf(&line, format, args);
    va_end(args);
    add_circumstances(x, &line);
    tell(x, level, text_str(&line));
    text_release(&line);
}

/* ---- what a status means ---- */

struct meaning {
    enum syslog_severity level;
    const char *words;
};

static struct meaning of_server(enum status status)
{
    switch ((int)status) {
    case STATUS_UPSTREAM_REFUSED: return (struct meaning){SYSLOG_ERROR, "connect() failed (111: Connection refused) while connecting to upstream"};
    case STATUS_UPSTREAM_UNREACHABLE: return (struct meaning){SYSLOG_ERROR, "connect() failed (113: No route to host) while connecting to upstream"};
    case STATUS_UPSTREAM_CONNECT_TIMEOUT: return (struct meaning){SYSLOG_ERROR, "upstream timed out (110: Connection timed out) while connecting to upstream"};
    case STATUS_UPSTREAM_TIMEOUT: return (struct meaning){SYSLOG_ERROR, "upstream timed out (110: Connection timed out) while reading response header from upstream"};
    case STATUS_UPSTREAM_TOO_SLOW: return (struct meaning){SYSLOG_ERROR, "upstream timed out (110: Connection timed out) while reading upstream"};
    case STATUS_UPSTREAM_CLOSED: return (struct meaning){SYSLOG_ERROR, "upstream prematurely closed connection while reading response header from upstream"};
    case STATUS_UPSTREAM_RESET: return (struct meaning){SYSLOG_ERROR, "recv() failed (104: Connection reset by peer) while reading response header from upstream"};
    case STATUS_UPSTREAM_BAD_RESPONSE: return (struct meaning){SYSLOG_ERROR, "upstream sent invalid header while reading response header from upstream"};
    case STATUS_UPSTREAM_HEAD_TOO_LARGE: return (struct meaning){SYSLOG_ERROR, "upstream sent too big header while reading response header from upstream"};
    case STATUS_UPSTREAM_TRUNCATED: return (struct meaning){SYSLOG_ERROR, "upstream prematurely closed connection while reading upstream"};
    case STATUS_UPSTREAM_TLS: return (struct meaning){SYSLOG_ERROR, "SSL_do_handshake() failed while SSL handshaking to upstream"};
    case STATUS_UPSTREAM_UNTRUSTED: return (struct meaning){SYSLOG_ERROR, "upstream SSL certificate verify error while SSL handshaking to upstream"};
    case STATUS_UPSTREAM_UNRESOLVED: return (struct meaning){SYSLOG_ERROR, "the upstream's name could not be resolved (3: Host not found)"};
    case STATUS_NO_READY_SERVER:
    case STATUS_TOO_MANY_WAITING: return (struct meaning){SYSLOG_ERROR, "no live upstreams while connecting to upstream"};
    default: return (struct meaning){SYSLOG_INFO, NULL};
    }
}

static struct meaning of_client(enum status status)
{
    switch ((int)status) {
    case STATUS_CLIENT_ABORTED: return (struct meaning){SYSLOG_INFO, "client prematurely closed connection"};
    case STATUS_CLIENT_HEAD_TIMEOUT: return (struct meaning){SYSLOG_INFO, "client timed out (110: Connection timed out) while reading client request headers"};
    case STATUS_CLIENT_TOO_SLOW: return (struct meaning){SYSLOG_INFO, "client timed out (110: Connection timed out)"};
    case STATUS_BAD_REQUEST_LINE:
    case STATUS_BAD_TARGET: return (struct meaning){SYSLOG_INFO, "client sent invalid request while reading client request line"};
    case STATUS_TARGET_TOO_LONG: return (struct meaning){SYSLOG_INFO, "client sent too long URI while reading client request line"};
    case STATUS_BAD_FIELD: return (struct meaning){SYSLOG_INFO, "client sent invalid header line while reading client request headers"};
    case STATUS_BAD_HOST: return (struct meaning){SYSLOG_INFO, "client sent invalid host header while reading client request headers"};
    case STATUS_FIELDS_TOO_LARGE: return (struct meaning){SYSLOG_INFO, "client sent too long header line while reading client request headers"};
    case STATUS_TOO_MANY_FIELDS: return (struct meaning){SYSLOG_INFO, "client sent too many header lines while reading client request headers"};
    case STATUS_BAD_LENGTH: return (struct meaning){SYSLOG_INFO, "client sent invalid \"Content-Length\" header while reading client request headers"};
    case STATUS_H2_PROTOCOL: return (struct meaning){SYSLOG_INFO, "client sent a request that HTTP/2 does not allow"};
    case STATUS_BAD_CHUNK: return (struct meaning){SYSLOG_INFO, "client sent invalid chunked body"};
    case STATUS_PLAIN_HTTP_ON_TLS: return (struct meaning){SYSLOG_INFO, "client sent plain HTTP request to HTTPS port while reading client request headers"};
    case STATUS_BODY_TOO_LARGE: return (struct meaning){SYSLOG_ERROR, "client intended to send too large body"};
    default: return (struct meaning){SYSLOG_INFO, NULL};
    }
}

static struct meaning of_ourselves(enum status status)
{
    switch ((int)status) {
    case STATUS_IP_DENIED: return (struct meaning){SYSLOG_ERROR, "access forbidden by rule"};
    case STATUS_RATE_LIMITED: return (struct meaning){SYSLOG_ERROR, "limiting requests"};
    case STATUS_IN_FLIGHT_LIMITED: return (struct meaning){SYSLOG_ERROR, "limiting connections"};
    case STATUS_UNAUTHORIZED: return (struct meaning){SYSLOG_ERROR, "no user/password was provided for basic authentication"};
    case STATUS_FILE_NOT_FOUND: return (struct meaning){SYSLOG_ERROR, "open() failed (2: No such file or directory)"};
    case STATUS_FILE_FORBIDDEN: return (struct meaning){SYSLOG_ERROR, "open() failed (13: Permission denied)"};
    case STATUS_REDIRECT_CYCLE: return (struct meaning){SYSLOG_ERROR, "rewrite or internal redirection cycle"};
    case STATUS_NO_LOCATION: return (struct meaning){SYSLOG_ERROR, "could not find named location"};
    default: return (struct meaning){SYSLOG_INFO, NULL};
    }
}

static struct meaning meaning_of(enum status status)
{
    struct meaning meaning = of_server(status);
    if (meaning.words == NULL)
        meaning = of_client(status);
    if (meaning.words == NULL)
        meaning = of_ourselves(status);
    if (meaning.words == NULL)
        meaning = (struct meaning){status_http(status) >= 500 ? SYSLOG_ERROR : SYSLOG_INFO, status_text(status)};
    return meaning;
}

void error_log_attempt(struct exchange *x, enum status why)
{
    struct meaning meaning = meaning_of(why);
    error_log_add(x, meaning.level, "%s", meaning.words);
}

void error_log_end(struct exchange *x)
{
    if (x->failure == STATUS_OK || x->failure == STATUS_MIDDLEWARE_ANSWERED || x->error_told)
        return;
    struct meaning meaning = meaning_of(x->failure);
    if (error_log_wants(x, meaning.level))
        error_log_add(x, meaning.level, "%s", meaning.words);
}
