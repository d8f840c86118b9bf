/* What the parts of the compiler share while one model becomes one graph. Control thread. */
#ifndef SNAPSHOT_BUILD_H
#define SNAPSHOT_BUILD_H

#include "base/vec.h"
#include "exchange/compile.h"
#include "exchange/graph.h"
#include "exchange/middleware.h"
#include "exchange/service.h"
#include "route/perl_set.h"
#include "route/regex_set.h"
#include "snapshot/automatic.h"
#include "snapshot/names.h"
#include "snapshot/shared.h"
#include "tls/client.h"

struct built_types {
    const struct media_types_config *config;
    struct media_types *types;
};

/* A graph with what only its end needs to know. */
struct built_graph {
    struct graph graph;
    VEC(struct shared *) shared;
    VEC(struct middleware *) middlewares;
    VEC(struct tls_policy *) policies;
    VEC(struct tls_client *) tls_clients;
    VEC(struct built_types) media_types;
    struct regex_set regexes;
    struct perl_set perl_regexes;
    VEC(struct site *) sites;
};

struct line_log;
struct log_files;

struct build {
    struct compile compile;           /* first: hooks are given it, and the vtable finds its way back */
    struct built_graph *built;
    struct graph *graph;
    struct model *model;
    struct names names;
    bool any_left_out;                /* an object was left out while the graph was built */
    struct map service_types;         /* internal services by name */
    VEC(struct router *) routers;
    VEC(struct service *) services;
    struct transport *default_transport;
    struct tls_policy *default_policy;
    struct map firm_policies;         /* host -> struct tls_policy that the owner's configuration gave it */
    VEC(struct certificate *) certificates;
    VEC(struct lazy_certificates *) lazy_certificates;
    struct map site_certificates;     /* files -> struct certificate of sites, each read once */
    struct certificate_wants wants;
    VEC(struct line_log *) logs;
    VEC(struct log_files *) log_files;
    struct map built_logs;            /* address of a log's options -> what was made of them */
    struct site_draft *site;          /* the one that is being built (sites.c); NULL: none is */
};

/* object.c: one object while it is built. Its mistakes are noted, and kept to it where its part is lenient; then it is left out with a
 * remark, and the rest goes on without it. What depends on it says so by build_usable, and falls too. Objects nest: each answers for
 * itself alone. */
struct object {
    struct diag_guard guard;
    struct named *named;
    bool lenient;                     /* what compile.lenient was before */
};
/* `named` NULL: something of the proxy's owner that has no name, whose mistakes refuse the configuration. */
void build_object_begin(struct build *build, struct object *object, struct named *named);
/* True when it may be used: `good`, and nothing was reported. Otherwise whoever made something of it undoes that. */
bool build_object_end(struct build *build, struct object *object, bool good);
/* Can what `span` refers to be used? False: it failed; where it was left out that is a mistake of the object that refers to it. */
bool build_usable(struct build *build, const struct named *named, struct span span);

/* variables.c: those of `http.variables`. Their names first, since anything may refer to them. */
void build_variable_names(struct build *build);
void build_variables(struct build *build);

/* services.c */
struct service *build_service(struct build *build, struct str reference, struct str provider, struct span span);
/* Services that no router names are built too, so that their mistakes are found. */
void build_all_services(struct build *build);
const struct transport *build_transport(struct build *build, struct str reference, struct str provider, struct span span);
/* Compiles the TLS options of a transport that was built here, if that was not done. False after an error. */
bool build_secure(struct build *build, const struct transport *transport);

/* documents.c: the root and the media types of a router that has a location; false after an error. */
bool build_document(struct build *build, struct router *router, const struct location_config *location, struct str provider);
const struct media_types *build_media_types(struct build *build, struct str reference, struct str provider, struct span span);
void build_media_types_release(struct built_graph *built);

/* chains.c: the chain of a router on an entrypoint: the entrypoint's middlewares, its own, its service's. */
bool build_chain(struct build *build, struct router *router, const struct entry *entry,
                 const struct router_config *config, struct str provider);
/* For compile_middlewares: those that stand inside of the one which is being compiled. */
struct middleware **build_inner_chain(struct build *build, const struct strs *references, const struct node *list,
                                      unsigned *ret_count, size_t *ret_memory);
/* A middleware that no configuration names: `options` of `type`, first in the chain. */
bool build_internal_chain(struct build *build, struct router *router, const struct middleware_type *type,
                          const void *options);

/* Those that no chain has are built once as well, so that their mistakes are found. */
void build_unused_middlewares(struct build *build);

/* routers.c: entries first, then the routers and each entry's table. */
struct entry_rules;
void build_entries(struct build *build);
void build_routers(struct build *build);
/* A router that nobody wrote; joins build->routers. */
struct router *build_add_router(struct build *build, struct str name, struct str rule, int64_t priority,
                                const struct node *origin);
/* Adds a router with a rule of our own to the rules of the entry with this index; `secure`: to those of HTTPS, if it has any. */
void build_internal_rule(struct build *build, struct entry_rules *rules, unsigned entry, struct router *router, bool secure);

bool build_router_wants(const struct build *build, const struct router_config *config, const struct entry *entry);
enum rule_syntax build_rule_syntax(const struct build *build, const struct router_config *config);

/* A router of this entry that is not served, at its place among those that are. When all others are collected. */
void build_keep_place(struct build *build, struct entry_rules *rules, unsigned entry, struct left_out *left_out,
                      const struct router_config *config);

/* sites.c: sites and the routers of their locations. */
void build_sites(struct build *build);
void build_sites_release(struct built_graph *built);
/* For compile_router: where the router of the site that is being built will stand. */
struct router *const *build_site_reference(struct build *build, struct str reference, struct span span);
/* routers.c, for it: a router, and its coming into the graph; chains.c: a chain without the entrypoint's middlewares. */
struct router *build_site_router(struct build *build, struct str name, const struct router_config *config);
void build_add_site_router(struct build *build, struct router *router, const struct entry *entry);
bool build_site_chain(struct build *build, struct router *router, const struct strs *middlewares, const struct node *origin,
                      struct str provider);

/* logs.c: the named logs that a router writes to; NULL: none. `router`: its name with its provider. */
const struct request_logs *build_router_logs(struct build *build, const struct router_config *config, struct str router);
void build_logs_end(struct build *build);

/* left_out.c: the routers that were left out, at the places where they would be. */
void build_left_out(struct build *build, struct entry_rules *rules);

/* tls.c: the certificates of files, and the options that are there. */
void build_certificates(struct build *build);
/* The TLS of a router on an entry: its own, else the entry's; NULL: plain HTTP. */
const struct router_tls *build_router_tls(const struct router_config *config, const struct entry *entry);
/* Can a router be served with it? The resolver that it names is looked at too. */
bool build_check_tls(struct build *build, const struct router_tls *tls, const struct named *router);
/* The entry speaks TLS from now on, and these hosts of a router with the options that it names. */
void build_entry_tls(struct build *build, struct entry *entry, const struct router_tls *tls, const struct named *router,
                     const struct strs *hosts);
/* The options that it names; NULL: they cannot be used, as reported. */
const struct tls_policy *build_policy(struct build *build, const struct router_tls *tls, const struct named *router);
/* Those of a site, read once for all its entrypoints; they are the graph's too. */
/* Those of its certificates that are read at handshakes; NULL: none are. */
struct lazy_certificates *build_lazy_certificates(struct build *build, const struct site_tls *config, struct str site);
/* What a transport shows to servers; NULL: that was reported. */
struct lazy_certificates *build_lazy_pair(struct build *build, const struct tls_pair *pair, const struct tls_certificate_cache *cache,
                                          struct str transport);
struct certificate **build_site_certificates(struct build *build, const struct objects *configs, unsigned *ret_count);
/* The certificates that a router asks for. */
void build_wants(struct build *build, const struct router_tls *tls, struct str router, const struct strs *hosts);
/* Does it let in only clients that show a certificate which is verified? */
bool build_tls_asks_who(struct build *build, const struct router_tls *tls, struct str provider);
/* Options that nobody names are compiled too, so that their mistakes are found. */
void build_tls_options(struct build *build);
/* What was gathered becomes the graph's. */
void build_tls_end(struct build *build);
/* The certificates, tables and maps of a graph that goes. */
void build_tls_release(struct graph *graph);

/* meters.c: the buckets of the graph's meters, before anything that has one is made. */
void build_meter_bounds(struct build *build);
/* A router's, whose service and `internal` are known, on this entry; again when it is on another one as well. */
void build_router_meter(struct build *build, struct router *router, const struct entry *entry);
void build_entry_meters(struct build *build, struct entry *entry);
void build_service_meter(struct build *build, struct service *service);
void build_meters_release(struct graph *graph);

/* api.c: the API and the dashboard. */
void build_api_routers(struct build *build, struct entry_rules *rules);
/* Can an internal service be routed to, as things are configured? Otherwise an error at `span`. */
bool build_internal_is_there(struct build *build, struct str name, struct span span);
/* Warns of a router that shows the API to whoever comes. Of one whose chain is built. */
void build_watch_api(struct build *build, struct router *router, const struct entry *entry, const struct router_tls *tls);
/* Warns of what is switched on and reaches nobody. When all routers and services are built. */
void build_watch_unused(struct build *build);

/* remarks.c: warnings become remarks about the objects in which they were met. */
void build_remarks(struct build *build);

/* internal.c: routers that follow from settings (ping, metrics, redirections, HTTP-01). `rules`: with the number of
 * entries' TLS known. */
void build_internal_routers(struct build *build, struct entry_rules *rules);
/* By name; NULL: there is none. */
struct entry *build_entry_named(struct build *build, struct str name, unsigned *ret_index);

#endif
