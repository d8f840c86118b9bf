/* The routers, services and middlewares of the running graph as people know them: each once, by name, with what is amiss and who
 * uses it. (The graph has a router for each entrypoint that it is on, and a middleware for each chain.)
 *
 * Made behind a reload where the API is on, else when it is first asked for; kept until another graph runs. Everything in it is read-only; texts are the graph's or the
 * catalog's. Control thread. */
#ifndef ADMIN_CATALOG_H
#define ADMIN_CATALOG_H

#include "exchange/graph.h"
#include "exchange/middleware.h"
#include "exchange/service.h"

enum catalog_status { CATALOG_ENABLED, CATALOG_WARNING, CATALOG_DISABLED };

struct catalog_item {
    struct str name, provider;        /* "api@file", "file" */
    struct str type;                  /* "loadBalancer", "rateLimit"; empty: a router, or internal */
    enum catalog_status status;
    struct strs errors;               /* why it is not enabled, or what to be warned of */
    struct strs used;                 /* a router: its entrypoints; else the routers that use it. Sorted, each once */
    struct strs middlewares;          /* a router's own, with their providers */
    const struct node *origin;        /* where it was written; NULL: nobody wrote it, or no place is known */
    const void *config;               /* struct router_config, service_config, middleware_config; NULL: nobody wrote it */
    /* What runs, by kind of item; NULL: it was left out, or a middleware that no router uses. */
    const struct router *router;      /* the one on its first entrypoint; they differ in their chains alone */
    struct service *service;
    const struct middleware *middleware;      /* of the first chain that has it */
    unsigned last_router;             /* catalog.c's own, while it is made */
};

struct catalog_list {
    struct catalog_item **items;      /* by name, ascending */
    size_t count, warnings, disabled;
    struct map by_name;               /* name -> struct catalog_item */
};

struct catalog {
    uint64_t generation;
    struct arena arena;
    struct catalog_list routers, services, middlewares;
};

/* Borrowed, until the next graph runs. */
const struct catalog *catalog_of(const struct graph *graph);
struct catalog_item *catalog_find(const struct catalog_list *list, struct str name);
/* "enabled", "warning", "disabled". */
struct str catalog_status_text(enum catalog_status status);
/* Lets go of what is kept. */
void catalog_forget(void);

#endif
