#include "observe/otlp_settings.h"

#include "http/token.h"
#include "tls/client.h"

const struct peer_tls *otlp_settings_tls(const struct otlp_settings *settings)
{
    if (settings->grpc != NULL)
        return settings->grpc->tls;
    return settings->http != NULL ? settings->http->tls : NULL;
}

const struct strmap *otlp_settings_headers(const struct otlp_settings *settings)
{
    if (settings->grpc != NULL)
        return &settings->grpc->headers;
    return settings->http != NULL ? &settings->http->headers : NULL;
}

/* ---- where to ---- */

static const char *const http_paths[OTLP_SIGNALS] = {[OTLP_TRACES] = "/v1/traces", [OTLP_METRICS] = "/v1/metrics"};
static const char *const grpc_paths[OTLP_SIGNALS] = {
    [OTLP_TRACES] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    [OTLP_METRICS] = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"};

static bool has_path(struct str url)
{
    ptrdiff_t scheme = str_find(url, S("://"));
    struct str rest = str_from_index(url, scheme >= 0 ? (size_t)scheme + 3 : 0);
    return str_find_char(rest, '/', 0) >= 0;
}

void otlp_settings_url(const struct otlp_settings *settings, struct text *out)
{
    if (settings->grpc != NULL) {
        text_add(out, settings->grpc->insecure ? S("http://") : S("https://"));
        text_add(out, settings->grpc->endpoint);
        text_add(out, str_from(grpc_paths[settings->signal]));
        return;
    }
    struct str endpoint = settings->http != NULL ? settings->http->endpoint : STR_NONE;
    if (endpoint.len == 0)
        endpoint = S("https://localhost:4318");
    text_add(out, endpoint);
    if (!has_path(endpoint))
        text_add(out, str_from(http_paths[settings->signal]));
}

/* ---- what is wrong ---- */

static bool is_readable(struct str file, const struct node *origin, struct str option, struct diag *diag)
{
    struct str unused;
    if (file.len == 0 || tls_read_pem(file, diag->arena, &unused))
        return true;
    diag_error(diag, node_span(node_get(origin, option)), "the file cannot be read: %m");
    return false;
}

static bool is_value(struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (((unsigned char)value.data[i] < 0x20 && value.data[i] != '\t') || value.data[i] == 0x7f)
            return false;
    return true;
}

static bool check_headers(const struct strmap *headers, const struct node *origin, struct diag *diag)
{
    bool good = true;
    const struct node *map = node_get(origin, S("headers"));
    for (size_t i = 0; headers != NULL && i < headers->count; i++) {
        if (token_is_valid(headers->items[i].name) && is_value(headers->items[i].value))
            continue;
        diag_error(diag, node_span(node_get(map, headers->items[i].name)), "this is no header field");
        good = false;
    }
    return good;
}

bool otlp_settings_check(const struct otlp_settings *settings, struct diag *diag)
{
    const struct node *origin = settings->grpc != NULL ? settings->grpc->origin : settings->http != NULL ? settings->http->origin : NULL;
    const struct peer_tls *tls = otlp_settings_tls(settings);
    bool good = check_headers(otlp_settings_headers(settings), origin, diag);
    if (tls == NULL)
        return good;
    good = is_readable(tls->ca, tls->origin, S("ca"), diag) && good;
    good = is_readable(tls->cert, tls->origin, S("cert"), diag) && good;
    return is_readable(tls->key, tls->origin, S("key"), diag) && good;
}

/* ---- which are the same ---- */

static void add_part(struct text *out, struct str part)
{
    text_addf(out, "%zu:", part.len);
    text_add(out, part);
}

static void add_tls(struct text *out, const struct peer_tls *tls)
{
    if (tls == NULL)
        return;
    add_part(out, tls->ca);
    add_part(out, tls->cert);
    add_part(out, tls->key);
    text_add_char(out, tls->insecure_skip_verify ? 'i' : 'v');
}

void otlp_target_describe(const struct otlp_settings *settings, struct text *out)
{
    const struct strmap *headers = otlp_settings_headers(settings);
    const struct otlp_http *http = settings->grpc == NULL ? settings->http : NULL;
    text_addf(out, "%d %lld %d %d %d ", (int)settings->signal, (long long)settings->queue_limit, settings->grpc != NULL,
              http != NULL ? http->encoding : OTLP_PROTOBUF, http != NULL && http->compress);
    otlp_settings_url(settings, out);
    text_add_char(out, ' ');
    for (size_t i = 0; headers != NULL && i < headers->count; i++) {
        add_part(out, headers->items[i].name);
        add_part(out, headers->items[i].value);
    }
    text_add_char(out, ' ');
    add_tls(out, otlp_settings_tls(settings));
}
