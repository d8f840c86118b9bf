#include "exchange/count.h"

#include "exchange/graph.h"
#include "exchange/service.h"
#include "tls/conn.h"

static struct meter *server_meter(const struct server *server)
{
    return atomic_load_explicit(&server->meter, memory_order_acquire);
}

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
    return is_event_stream(&x->response) ? COUNT_SSE : COUNT_HTTP;
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
static const struct service *service_of(const struct exchange *x)
{
    return x->admitted || x->detour ? x->service : NULL;
}

static void fail(struct meter *meter, const struct exchange *x)
{
    if (meter == NULL)
        return;
    if (count_is_failure(x->failure))
        meter_fail(meter, x->worker->index, x->failure);
    if (x->attempts > 1)
        meter_retry(meter, x->worker->index, x->attempts - 1);
}

static __attribute__((noinline)) void count_trouble(const struct exchange *x)
{
    const struct service *service = service_of(x);
    fail(x->entry->meter, x);
    if (x->router != NULL)
        fail(x->router->meter, x);
    if (service != NULL)
        fail(service->meter, x);
    /* A server that failed before it answered was told so; this one failed in the middle of its answer. */
    bool by_server = status_http(x->failure) == 502 || status_http(x->failure) == 504;
    struct meter *meter = by_server && x->server != NULL ? server_meter(x->server) : NULL;
    if (meter != NULL)
        meter_fail(meter, x->worker->index, x->failure);
}

/* Of the service, and of the server whose answer it was. */
static inline struct meter *inner_meter(const struct exchange *x)
{
    if (x->server != NULL)
        return atomic_load_explicit(&x->server->counts, memory_order_acquire);
    const struct service *service = service_of(x);
    return service != NULL ? service->meter : NULL;
}

static __attribute__((noinline)) void count_unrouted(const struct exchange *x, const struct meter_sample *sample)
{
    if (!x->entry->config->observability.metrics)
        return;
    meter_count(x->entry->meter, x->worker->index, sample);
    if (x->failure != STATUS_OK)
        count_trouble(x);
}

/* Most of thousands of routers are never asked for, so their joints are made by the first request. NULL: not now, or never. */
static __attribute__((noinline)) struct meter *make_joint(const struct entry *entry, struct router *router)
{
    struct meter *none = NULL, *joint = router->on_several ? NULL : meter_try_join(entry->meter, router->meter);
    if (joint == NULL || atomic_compare_exchange_strong(&router->counts, &none, joint))
        return joint;
    meter_unref(joint);      /* another worker was first, with the same one */
    return none;
}

/* Mostly one joint stands for the entrypoint and its router, and another one for the service and its server. */
static inline void count_routed(const struct exchange *x, const struct meter_sample *sample)
{
    struct router *router = x->router;
    struct meter *outer = atomic_load_explicit(&router->counts, memory_order_acquire);
    if (__builtin_expect(outer == NULL, 0) && (outer = make_joint(x->entry, router)) == NULL) {
        outer = x->entry->meter;
        meter_count(router->meter, x->worker->index, sample);
    }
    meter_count_both(outer, inner_meter(x), x->worker->index, sample);
    if (x->failure != STATUS_OK || x->attempts > 1)
        count_trouble(x);
}

void count_exchange(const struct exchange *x, int status)
{
    if (x->router != NULL && x->router->meter == NULL)
        return;
    struct meter_sample sample = {
        .kind = METER_KIND(status, x->original_method, last_part(x)),
        .duration = x->times.ended - x->times.began,
        .bytes_in = x->upload_began ? x->upload.moved : 0,
        .bytes_out = exchange_given(x),
    };
    if (x->router != NULL)
        count_routed(x, &sample);
    else
        count_unrouted(x, &sample);
}

void count_attempt_failed(const struct exchange *x, enum status why)
{
    struct meter *meter = x->server != NULL ? server_meter(x->server) : NULL;
    if (meter == NULL || x->router == NULL || x->router->meter == NULL)
        return;
    struct meter_sample sample = {
        .kind = METER_KIND(status_http(why), x->original_method, COUNT_HTTP),
        .duration = exchange_now(x) - x->times.picked,
        .bytes_in = x->upload_began ? x->upload.moved : 0,
    };
    meter_count(meter, x->worker->index, &sample);
    meter_fail(meter, x->worker->index, why);
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
