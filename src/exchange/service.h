/* The plug of services: where a request goes. One file each in service/ (and files/).
 *
 * pick_server asks the router's service; a service names a server, hands on to another service, or answers itself. */
#ifndef EXCHANGE_SERVICE_H
#define EXCHANGE_SERVICE_H

#include <stdatomic.h>

#include "base/registry.h"
#include "exchange/await_server.h"
#include "exchange/compile.h"
#include "exchange/exchange.h"

enum pick_result {
    PICK_SERVER,       /* exchange_use_server was called */
    PICK_SERVICE,      /* exchange_use_service was called: that one is asked next (16 hops at most) */
    PICK_ANSWER,       /* exchange_answer or exchange_answer_source was called */
    PICK_WAIT,         /* exchange_resume will be called; asked again then */
    PICK_REROUTE,      /* one of the exchange_go_ functions was called (exchange/visit.h) */
    PICK_NONE,         /* nothing is ready: 503 with Retry-After (x->failure NO_READY_SERVER unless set) */
};

struct service_type {
    struct choice_type choice;
    size_t state_size;
    bool (*compile)(struct service *service, struct compile *compile);
    /* Lets go of what the state holds outside of the arena; also of one whose compile gave up half-way. May be NULL. */
    void (*destroy)(struct service *service);
    enum pick_result (*pick)(struct exchange *x, struct service *service);
    /* Could a request be served now? For failover and health of weighted ones; NULL: always. */
    bool (*is_ready)(const struct service *service, int64_t now);
    /* The outcome of an attempt at x->server: OK with the response's status in x->response, or why it failed. For passive
     * health and measures. May be NULL. */
    void (*on_attempt)(struct exchange *x, struct service *service, enum status outcome);
    /* A final response head has come (or was made) for this service: sticky cookies. May be NULL. */
    void (*on_response)(struct exchange *x, struct service *service);
    /* The response will not do, and pick is to be called again: asked of every service that was passed on the way to
     * x->server, only while exchange_can_retry. May be NULL. */
    bool (*refuses)(struct exchange *x, struct service *service);
    bool refuses_by_forwarding;      /* only where x->forwarding says which responses send a request on */
    /* A server for a request of our own (a mirror's copy, explain), chosen as pick would, without an exchange. One reference
     * is the caller's. NULL: none is ready, or the service names no servers. May be NULL. */
    struct server *(*choose)(struct service *service, struct worker *worker, const struct ip *client,
                             const struct transport **ret_transport);
    /* The index-th service that this one may hand on to; NULL behind the last. May be NULL. */
    struct service *(*child)(const struct service *service, unsigned index);
    /* Its share beside the others, as configured (a mirror's: per cent); -1: it has none. For people; may be NULL. */
    int64_t (*child_weight)(const struct service *service, unsigned index);
    bool copies;                     /* its children behind the first only get copies */
};
REGISTRY(service_type, const struct service_type);

struct service {
    const struct service_type *type;
    struct str name;                 /* "api@file" */
    const void *options;
    void *state;
    const struct transport *transport;    /* for services that name servers; else NULL */
    struct meter *meter;             /* NULL: not counted; one reference, the graph's */
    const struct node *origin;       /* where it was written; NULL: nobody wrote it */
    struct str provider;
    const struct await_rule *await;  /* NULL: requests do not wait for a ready server (exchange/await_server.h) */
    bool pass_host_header;
    bool ignores_responses;          /* its type's on_response would do nothing here */
    bool internal;                   /* ping@internal and its kin: not logged unless asked */
    _Atomic uint8_t maintenance;     /* it is not asked: bits of enum maintenance_by (exchange/graph.h); 0: it is */
};

const struct service_type *service_find(struct str name);
static inline bool service_in_maintenance(const struct service *service)
{
    return __builtin_expect(atomic_load_explicit(&service->maintenance, memory_order_relaxed) != 0, 0);
}
static inline bool service_is_ready(const struct service *service, int64_t now)
{
    return !service_in_maintenance(service) && (service->type->is_ready == NULL || service->type->is_ready(service, now));
}
static inline struct server *service_choose(struct service *service, struct worker *worker, const struct ip *client,
                                            const struct transport **ret_transport)
{
    return service->type->choose != NULL && !service_in_maintenance(service)
               ? service->type->choose(service, worker, client, ret_transport)
               : NULL;
}
static inline struct service *service_child(const struct service *service, unsigned index)
{
    return service->type->child != NULL ? service->type->child(service, index) : NULL;
}

#endif
