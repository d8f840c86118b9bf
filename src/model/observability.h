/* What a configuration says of being looked at: the API and dashboard, metrics, traces. Lives in the model's arena; read-only. */
#ifndef MODEL_OBSERVABILITY_H
#define MODEL_OBSERVABILITY_H

#include "model/tls.h"

struct api_config {
    const struct node *origin;
    bool insecure;                  /* on the entrypoint traefik, without asking anybody who they are */
    bool dashboard;
    bool debug;
    struct str base_path;           /* "/": in front of /api and /dashboard */
    struct strs writers;            /* users that a middleware let in and who may change things; "*": all who get that far */
};

/* Where OpenTelemetry's collector is (OTLP). */
struct otlp_http {
    const struct node *origin;
    struct str endpoint;            /* URL with the path */
    struct strmap headers;
    int encoding;                   /* enum otlp_encoding */
    bool compress;                  /* gzip */
    struct peer_tls *tls;           /* NULL: the system's authorities */
};
enum otlp_encoding { OTLP_PROTOBUF, OTLP_JSON };
struct otlp_grpc {
    const struct node *origin;
    struct str endpoint;            /* host:port */
    bool insecure;                  /* HTTP/2 without TLS */
    struct strmap headers;
    struct peer_tls *tls;
};

struct prometheus_config {
    const struct node *origin;
    struct strs buckets;            /* seconds, ascending: "0.1", "0.3", ... */
    bool add_entry_points_labels, add_routers_labels, add_services_labels;
    struct str entry_point;
    bool manual_routing;
    struct strmap header_labels;
};
struct otlp_metrics {
    const struct node *origin;
    bool add_entry_points_labels, add_routers_labels, add_services_labels;
    struct strs explicit_boundaries;        /* seconds, ascending */
    int64_t push_interval;          /* ns */
    struct str service_name;
    struct strmap resource_attributes;
    struct otlp_http *http;
    struct otlp_grpc *grpc;
};
struct metrics_config {
    const struct node *origin;
    bool add_internals;
    struct prometheus_config *prometheus;
    struct otlp_metrics *otlp;
};

struct otlp_traces {
    const struct node *origin;
    struct otlp_http *http;
    struct otlp_grpc *grpc;
};
struct tracing_config {
    const struct node *origin;
    struct str service_name;
    struct strmap resource_attributes;
    struct strs captured_request_headers, captured_response_headers;
    struct strs safe_query_params;  /* all others are shown as REDACTED */
    double sample_rate;             /* 0..1, of requests that bring no decision along */
    bool add_internals;
    int64_t queue_limit;            /* bytes of spans that wait for export; beyond, spans are dropped and counted */
    struct otlp_traces *otlp;
};

/* Which spans a traced request becomes. */
enum trace_verbosity {
    TRACE_AS_ENTRYPOINT,            /* a router that does not say */
    TRACE_MINIMAL,                  /* its own, and one for each try at a server */
    TRACE_DETAILED,                 /* router, middlewares and service too */
};

/* How an answer of our own looks in a browser. */
enum error_pages {
    ERROR_PAGES_INHERIT,            /* of an entrypoint: as the process; of a router: as its entrypoint */
    ERROR_PAGES_SIMPLE,             /* what it is, and the request's id */
    ERROR_PAGES_DETAILED,           /* for clients on this machine: also why, and what to do */
    ERROR_PAGES_OFF,                /* plain text for everybody */
    ERROR_PAGES_CLASSIC,            /* a few lines of HTML for everybody, in the words that nginx's users know */
};

extern const struct option_table api_table, metrics_table, tracing_table;
extern const struct option_name error_pages_names[], own_error_pages_names[], trace_verbosity_names[];

#endif
