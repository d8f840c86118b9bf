/* What the endpoints of Traefik's API have in common: lists with search, order and pages, and objects by name. Clients made for
 * Traefik read them, so names of members and codes are Traefik's. Control thread. */
#ifndef ADMIN_TRAEFIK_H
#define ADMIN_TRAEFIK_H

#include "admin/call.h"
#include "admin/catalog.h"

/* What a list is narrowed down to; empty: to nothing. */
struct traefik_query {
    struct str search, status, service, middleware;
};

/* What a thing is sorted by: a text, or a number where it has none. */
struct traefik_key {
    struct str text;
    int64_t number;
};

/* How a list's things are told apart, chosen, sorted and shown. */
struct traefik_kind {
    struct str (*name)(const void *thing);
    bool (*fits)(const void *thing, const struct traefik_query *query);       /* NULL: all do */
    /* False: it is not sorted by such a thing, but by name. NULL: by nothing else. */
    bool (*key)(const void *thing, struct str sort_by, struct traefik_key *ret_key);
    void (*write)(const void *thing, struct json *json);                      /* as an object */
};

/* `things`, sorted by name, as the array that the call's query asks for. True: for `return traefik_list(...)`. */
bool traefik_list(struct admin_call *call, const struct traefik_kind *kind, const void *const *things, size_t count);

/* The same for a list of the catalog, and one item of it by the path's name; `what`: "router". */
bool traefik_items(struct admin_call *call, const struct traefik_kind *kind, const struct catalog_list *list);
bool traefik_item(struct admin_call *call, const struct traefik_kind *kind, const struct catalog_list *list, const char *what);

/* Traefik's search: anywhere, case ignored; an empty one is found in everything. */
bool traefik_found(struct str text, struct str search);
bool traefik_status_fits(struct str status, const struct traefik_query *query);

/* ---- for kinds of the catalog ---- */
struct str traefik_item_name(const void *thing);
/* By name and status. */
bool traefik_item_fits(const void *thing, const struct traefik_query *query);
/* By "type", "provider" and "status". */
bool traefik_item_key(const void *thing, struct str sort_by, struct traefik_key *ret_key);
/* error, status and `used` under the key that the kind has for it. */
void traefik_item_state(const struct catalog_item *item, const char *used, struct json *json);
/* name, provider, type in lower case. */
void traefik_item_names(const struct catalog_item *item, struct json *json);
void traefik_strs(struct json *json, const char *key, const struct strs *strs);       /* nothing when there are none */

/* The members of /api/rawdata: what the lists show, but for names, by name. */
void traefik_router_members(const struct catalog_item *item, struct json *json);
void traefik_service_members(const struct catalog_item *item, struct json *json);
void traefik_middleware_members(const struct catalog_item *item, struct json *json);
/* {"routers": {...}, "middlewares": {...}, "services": {...}} */
void traefik_rawdata(const struct graph *graph, struct json *json);
/* {"Version": ..., ...} */
void traefik_version(struct json *json);
/* total, warnings and errors of the certificates that are served. */
void traefik_certificate_counts(struct json *json);

#endif
