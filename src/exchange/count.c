#include "exchange/count.h"

#include "exchange/graph.h"
#include "exchange/service.h"
#include "tls/conn.h"

/* Event streams have no length, so others need not be asked for their type. */
static bool is_event_stream(const struct response *response)
{
    return response->body_length == BODY_UNKNOWN &&
           str_starts_nocase(fields_value(&response->fields, FIELD_CONTENT_TYPE), S("text/event-stream"));
}

static enum count_protocol protocol_of(const struct exchange *x)
{
    if (x->stream.request.upgrade.len != 0 && str_equal_nocase(x->stream.request.upgrade, S("websocket")))
        return COUNT_WEBSOCKET;
    return x->response_sent && is_event_stream(&x->response) ? COUNT_SSE : COUNT_HTTP;
}

/* ---- what TLS was spoken, in six bits of a kind ---- */

#define PROTOCOL_BITS 2
#define AGREEMENTS_MAX 63             /* versions with ciphers; what comes beyond passes for the last */

_Static_assert(COUNT_PROTOCOLS <= 1 << PROTOCOL_BITS, "a kind's last byte has room for protocol and agreement");

/* Numbered as they come, from 1 on: most clients agree on one of two or three. */
static _Atomic uint32_t agreements[AGREEMENTS_MAX + 1];

static unsigned number_of(uint32_t agreed)
{
    for (unsigned i = 1; i < AGREEMENTS_MAX; i++) {
        uint32_t known = atomic_load_explicit(&agreements[i], memory_order_relaxed);
        if (known == 0 && atomic_compare_exchange_strong_explicit(&agreements[i], &known, agreed, memory_order_relaxed,
                                                                  memory_order_relaxed))
            return i;
        if (known == agreed)
            return i;
    }
    atomic_store_explicit(&agreements[AGREEMENTS_MAX], agreed, memory_order_relaxed);
    return AGREEMENTS_MAX;
}

static unsigned last_part(const struct exchange *x)
{
    unsigned protocol = protocol_of(x);
    const struct tls_conn *secure = x->stream.client->secure;
    return secure != NULL ? number_of(tls_agreed(secure)) << PROTOCOL_BITS | protocol : protocol;
}

uint32_t count_kind_agreed(uint32_t kind)
{
    unsigned number = kind != METER_KIND_OTHER ? (kind & 0xff) >> PROTOCOL_BITS : 0;
    return atomic_load_explicit(&agreements[number], memory_order_relaxed);
}

uint32_t count_kind_plain(uint32_t kind)
{
    const uint32_t agreement = 0xff & ~((1 << PROTOCOL_BITS) - 1);
    return kind != METER_KIND_OTHER ? kind & ~agreement : kind;
}

/* ---- counting ---- */

/* The service that was asked; one behind a middleware that answered was not. */
static struct meter *service_meter(const struct exchange *x)
{
    return x->admitted || x->detour ? x->service->meter : NULL;
}

enum { ENTRY, ROUTER, SERVICE, SERVER, METERS };

static __attribute__((noinline)) void count_trouble(const struct exchange *x, struct meter *const *meters)
{
    unsigned worker = x->worker->index;
    for (unsigned i = 0; i < SERVER; i++) {
        if (meters[i] == NULL)
            continue;
        if (count_is_failure(x->failure))
            meter_fail(meters[i], worker, x->failure);
        if (x->attempts > 1)
            meter_retry(meters[i], worker, x->attempts - 1);
    }
    /* A server that failed before it answered was told so; this one failed in the middle of its answer. */
    bool by_server = status_http(x->failure) == 502 || status_http(x->failure) == 504;
    if (by_server && meters[SERVER] != NULL)
        meter_fail(meters[SERVER], worker, x->failure);
}

/* False: nothing of it is to be counted. */
static bool choose_meters(const struct exchange *x, struct meter **meters)
{
    const struct router *router = x->router;
    meters[ENTRY] = x->entry->meter;
    meters[ROUTER] = meters[SERVICE] = meters[SERVER] = NULL;
    if (router == NULL)
        return x->entry->config->observability.metrics;
    if (router->meter == NULL)
        return false;
    meters[ROUTER] = router->meter;
    meters[SERVICE] = service_meter(x);
    if (x->server != NULL)
        meters[SERVER] = x->server->meter;
    return true;
}

void count_exchange(const struct exchange *x, int status)
{
    struct meter *meters[METERS];
    if (!choose_meters(x, meters))
        return;
    struct meter_sample sample = {
        .kind = METER_KIND(status, x->original_method, last_part(x)),
        .duration = x->times.ended - x->times.began,
        .bytes_in = x->upload_began ? x->upload.moved : 0,
        .bytes_out = x->download_began ? x->download.given : 0,
    };
    meter_count_all(meters, METERS, x->worker->index, &sample);
    if (x->failure != STATUS_OK || x->attempts > 1)
        count_trouble(x, meters);
}

void count_attempt_failed(const struct exchange *x, enum status why)
{
    const struct server *server = x->server;
    if (server == NULL || server->meter == NULL || x->router == NULL || x->router->meter == NULL)
        return;
    struct meter_sample sample = {
        .kind = METER_KIND(status_http(why), x->original_method, COUNT_HTTP),
        .duration = exchange_now(x) - x->times.picked,
        .bytes_in = x->upload_began ? x->upload.moved : 0,
    };
    meter_count(server->meter, x->worker->index, &sample);
    meter_fail(server->meter, x->worker->index, why);
}

int count_kind_status(uint32_t kind)
{
    return kind != METER_KIND_OTHER ? (int)(kind >> 16) : 0;
}

struct str count_kind_method(uint32_t kind)
{
    unsigned method = kind >> 8 & 0xff;
    return method != METHOD_OTHER && method < METHOD_COUNT ? method_text((enum method)method) : S("EXTENSION_METHOD");
}

struct str count_kind_protocol(uint32_t kind)
{
    static const struct str texts[COUNT_PROTOCOLS] = {[COUNT_HTTP] = STR("http"), [COUNT_WEBSOCKET] = STR("websocket"), [COUNT_SSE] = STR("sse")};
    unsigned protocol = kind & ((1 << PROTOCOL_BITS) - 1);
    return texts[protocol < COUNT_PROTOCOLS ? protocol : COUNT_HTTP];
}
