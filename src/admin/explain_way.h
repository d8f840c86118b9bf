/* The way of one request through a compiled configuration, found out without a socket: which routers were tried, what the
 * middlewares make of the request (those that are pure; the others are only named), which server would be asked. Uses an
 * exchange that never runs. One thread; the graph outlives the way. */
#ifndef ADMIN_EXPLAIN_WAY_H
#define ADMIN_EXPLAIN_WAY_H

#include "admin/explain_site.h"
#include "admin/explain_tls.h"
#include "exchange/graph.h"
#include "exchange/middleware.h"
#include "exchange/service.h"
#include "route/explain.h"

#define WAY_SERVICES_MAX 16

/* What is asked. */
struct way_request {
    struct str method;
    struct str target;                /* path and query */
    struct str authority;
    bool tls;
    const struct str *fields;         /* "Name: value" */
    size_t field_count;
    struct ip peer;
};

struct way {
    struct exchange x;                /* x.router NULL: none matched; x.answered_here: a middleware answers */
    struct client client;
    struct way_tls tls;               /* the handshake before the request */
    enum status refused;              /* why the request does not get to the routers; OK: it does */
    struct explanation explanation;
    const struct left_out *left_out;  /* the router that would take the request, had it not been left out; NULL: there is none */
    struct site_way site;             /* what became of it in a site; site.site NULL: it is in none */
    struct explain_notes notes;       /* of the router that was found by its rule */
    unsigned passed;                  /* middlewares that the request gets through; the next one answers */
    struct service *services[WAY_SERVICES_MAX];      /* from the router's down to the one that names the server */
    unsigned service_count;
    struct server *server;            /* NULL: the service answers itself, or none is ready */
    struct str maintenance;           /* the router or service that an operator took out and that answers 503; empty: none */
    struct str method, host, url;     /* of the request to the server; empty without one */
};

/* Fills `way`, which way_release frees. `worker` is the caller's thread's. */
void way_find(struct way *way, struct worker *worker, struct graph *graph, struct entry *entry,
              const struct way_request *request);
void way_release(struct way *way);

#endif
