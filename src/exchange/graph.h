/* The running graph: what a snapshot is made of, as the request path sees it. Built by snapshot/, immutable afterwards but for
 * orders of maintenance (snapshot/maintenance.h).
 *
 * Ownership: reference-counted (from any thread), one arena. A worker holds one reference for the graph it uses and counts the exchanges that
 * pin an older one (worker_graph, exchange/port.h). */
#ifndef EXCHANGE_GRAPH_H
#define EXCHANGE_GRAPH_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/meter.h"
#include "model/model.h"
#include "net/addr.h"
#include "net/loop.h"
#include "proto/h1/parse.h"
#include "route/locations.h"
#include "route/normalize.h"
#include "route/site_names.h"
#include "route/table.h"
#include "tls/certificate.h"
#include "tls/policy.h"

struct document_root;
struct lazy_certificates;
struct left_out;
struct line_log;
struct log_files;
struct media_types;
struct middleware;
struct request_logs;
struct service;
struct variable_table;
struct site;
struct variable;

/* Groups of a regular expression that have names: what they capture becomes these variables. */
struct capture_variable {
    unsigned group;
    const struct variable *variable;
};
struct capture_variables {
    struct capture_variable *items;
    unsigned count;
};

/* What of a router no plain request looks at; the same for all its appearances on several entrypoints. */
struct router_about {
    struct str rule;
    struct str provider;
    int64_t priority;
    const struct node *origin;
    const struct router_config *config;   /* NULL: nobody wrote it */
    struct strs entry_points;         /* names of those that it is on */
};

/* What few routers have. */
struct router_extras {
    const struct location *location;  /* NULL: it has a rule */
    const struct document_root *root;         /* of a location (exchange/document.h); NULL: it has none */
    const struct media_types *media_types;    /* of a location (exchange/media_types.h); NULL: the system's */
    struct capture_variables captures;    /* of its location's expression */
    struct str server_line;           /* "Server: ...\r\n" of responses that have none; empty: as its entrypoint says */
    struct networks maintainers;      /* clients that are served although it is under maintenance */
    struct str retry_after;           /* seconds, as text: what the others are told; empty: as usual */
    const struct left_out *left_out;  /* it is not served, and this is why; NULL: it is served */
};
extern const struct router_extras router_no_extras;

/* A router on one entrypoint (one of our own may be on several). What every request looks at, in as few cache lines as may be: among
 * thousands of routers each is one that the memory is waited for. */
struct router {
    struct service *service;
    struct middleware **chain;        /* entrypoint's, its own, the service's */
    uint16_t chain_count;
    int8_t error_pages;               /* enum error_pages; INHERIT: as its entrypoint says */
    uint8_t trace_verbosity;          /* enum trace_verbosity */
    uint32_t chain_memory;            /* bytes of their `own`s together */
    _Atomic(struct meter *) counts;   /* joint of its entrypoint's meter and its own, made when it is first needed; one reference */
    struct meter *meter;              /* NULL: not counted; one reference */
    const struct client_limits *limits;   /* NULL: as its entrypoint says */
    const struct request_logs *logs;  /* those of its own that it names (exchange/request_log.h); NULL: none */
    struct site *site;                /* of a location; NULL: it has a rule */
    bool access_log, traced;
    bool logs_subrequests;            /* requests of our own have lines in `logs` too */
    bool internal;
    bool on_several;                  /* entrypoints, with its rule: it has no joint */
    _Atomic uint8_t maintenance;      /* its requests are answered with 503: bits of enum maintenance_by; 0: they are not */
    struct str name;                  /* "api@file" */
    const struct router_extras *extras;   /* never NULL */
    struct router_about *about;
};

/* A site on one entrypoint (model/http.h). Its routers are built once for each of its entrypoints. */
struct site {
    struct str name;                  /* "api@file" */
    const struct site_config *config;
    struct router *entrance;          /* whose chain is passed before a location is looked for; NULL: none */
    struct router *fallback;          /* takes what no location takes; NULL: that is a 404 */
    struct location_level *locations;
    struct map named;                 /* "name" -> struct router */
    struct site_regex *regexes;       /* of its names, with the variables that they capture */
    unsigned regex_count;
    bool secure;                      /* it takes HTTPS here */
    bool rejects_handshake;
    const struct tls_policy *policy;  /* with `secure`: its TLS options */
    struct certificate **certificates;    /* with `secure`: its own, references of the graph's */
    unsigned certificate_count;
    struct lazy_certificates *lazy_certificates;  /* read at handshakes (exchange/lazy_certificates.h); NULL: none are */
};
struct site_regex {
    const struct perl_regex *regex;
    struct capture_variables captures;
};

/* Who has put a router or a service under maintenance. */
enum maintenance_by { MAINTENANCE_CONFIGURED = 1, MAINTENANCE_ORDERED = 2 };

/* Is this client's request to be refused for that? */
static inline bool router_in_maintenance(const struct router *router, const struct ip *client)
{
    return __builtin_expect(atomic_load_explicit(&router->maintenance, memory_order_relaxed) != 0, 0) &&
           !networks_have(&router->extras->maintainers, client);
}

/* The TLS of an entrypoint: there when a router, the entrypoint or automatic HTTPS asks for it. */
struct entry_tls {
    struct table *table;              /* the routers that take HTTPS; entry.table has those that take plain HTTP */
    const struct tls_policy *policy;  /* where the name has none of its own */
    struct map policies;              /* host (lower case, "*.a.example" too) -> const struct tls_policy */
    struct site_names *sites;         /* those that take HTTPS; NULL: none */
    bool on_demand;                   /* a name without a certificate may get one at its handshake */
};

/* The options for a name (lower case): of the routers that have it as host, else of the site. */
const struct tls_policy *entry_policy(const struct entry_tls *tls, struct str name);
/* The site of a name that a client asks for, by which TLS options and certificates are chosen; NULL: there is none. */
const struct site *entry_site(const struct entry_tls *tls, struct str name);

/* Certificates that somebody asks a resolver for. */
struct certificate_want {
    struct str resolver;              /* name of the certificatesResolver; see RESOLVER_* */
    struct strs names;                /* lower case, the first is the certificate's main one */
    struct str router;                /* that asks, for messages */
    const struct node *origin;
};
/* Resolvers that automatic HTTPS brings along; no user's name begins with '@'. */
#define RESOLVER_LOCAL STR("@local")
#define RESOLVER_AUTOMATIC STR("@automatic")

/* A router that was left out of the graph. Its rule keeps its place, so that a request which it would have taken gets 404, and not
 * to a router behind it that may lead to the same service without the former's middlewares. */
struct left_out {
    struct str name, reason;          /* "api@docker", "unknown middleware 'ath@docker'" */
    struct table_entry rule;          /* its router has this as `left_out` */
    bool secure;                      /* it would have taken HTTPS */
};

/* One entrypoint of a snapshot. */
struct entry {
    struct str name;
    struct str address_text;
    struct addr address;
    const struct entrypoint *config;
    struct meter *meter;              /* one reference */
    struct table *table;
    struct site_names *sites;         /* asked where no rule fits; NULL: none */
    struct entry_tls *tls;            /* NULL: plain HTTP alone */
    bool only_tls;                    /* no router of it takes plain HTTP */
    struct left_out *left_out;        /* routers that would be on it */
    unsigned left_out_count;
    struct networks trusted_forwarders, trusted_proxies;
    struct h1_limits limits;
    struct normalizer normalizer;
    struct str port_text;             /* "8080": X-Forwarded-Port where the Host names none */
    struct str server_line;           /* see struct router; empty: such responses get no Server */
    int error_pages;                  /* enum error_pages, but INHERIT */
    bool trust_all_forwarders, trust_all_proxies, reads_proxy_header;
    bool passes_forwarding, adds_via;     /* config->forwarded_headers.pass, config->http.via: asked for several times a request */
};

struct graph {
    _Atomic unsigned refs;
    uint64_t generation;              /* counts snapshots */
    struct model *model;              /* owned */
    struct arena arena;
    struct entry **entries;
    unsigned entry_count;
    struct router **routers;          /* all, for explain and the API */
    unsigned router_count;
    struct service **services;
    unsigned service_count;
    struct certificate_want *wants;
    unsigned want_count;
    struct certificate **certificates;    /* from files: for the vault */
    unsigned certificate_count;
    struct certificate **site_certificates;       /* the same, that sites have to themselves */
    unsigned site_certificate_count;
    struct lazy_certificates **lazy_certificates; /* all of them */
    unsigned lazy_count;
    struct certificate *default_certificate;      /* configured; NULL: the generated one */
    struct str default_name;          /* of the certificate that a resolver gets as the default one; empty: none */
    struct access_log *access_log;    /* NULL: none; owned by observe, outlives graphs */
    struct line_log **logs;           /* named ones; their owner is state that graphs share */
    unsigned log_count;
    const struct request_logs *process_logs;      /* those that lines about the process go to as well (log.alsoTo); NULL: none */
    struct log_files **log_files;     /* the same for names with variables */
    unsigned log_files_count;
    struct tracer *tracing;           /* NULL: off; as above */
    struct variable_table *variables;      /* that its templates name (exchange/variable_table.h) */
    struct meter_bounds bounds;       /* of the meters' coarse buckets */
    struct str forwarded_by;          /* "X-Forwarded-Server: this host\r\n" */
    void (*destroy)(struct graph *graph);
    struct message retirement;
};

/* Where graphs are destroyed when nobody holds them any more: thousands of routers take milliseconds, for which no worker has time. Set
 * by the control thread while there is no other; NULL: by whoever lets go last. */
void graph_retire_on(struct loop *loop);
void graph_retire(struct graph *graph);

static inline struct graph *graph_ref(struct graph *graph)
{
    atomic_fetch_add_explicit(&graph->refs, 1, memory_order_relaxed);
    return graph;
}
static inline void graph_unref(struct graph *graph)
{
    if (atomic_fetch_sub_explicit(&graph->refs, 1, memory_order_acq_rel) == 1)
        graph_retire(graph);
}

#endif
