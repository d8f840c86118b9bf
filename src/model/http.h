/* What a configuration says of HTTP: routers, middlewares, services, transports. These tables are the dynamic
 * part: files, labels and stores fill them. Lives in the model's arena; read-only.
 *
 * A middleware or a service is a choice: one of its keys names its type, whose table the type's own file has. The
 * types register themselves above this folder (exchange/middleware.h, exchange/service.h), which set the two hooks
 * below at start. */
#ifndef MODEL_HTTP_H
#define MODEL_HTTP_H

#include "model/tls.h"

enum rule_syntax { RULE_DEFAULT, RULE_V3, RULE_V2 };

struct router_observability {
    const struct node *origin;
    bool access_logs, subrequest_logs, metrics, tracing;
    struct strs access_log_to;      /* names of http.accessLogs, besides the one at the top */
    struct strs error_log_to;       /* names of http.errorLogs */
    int trace_verbosity;            /* enum trace_verbosity */
};

struct router_maintenance {
    const struct node *origin;
    int64_t retry_after;            /* seconds */
    struct strs source_range;       /* addresses and networks of clients that are served as ever */
};

/* How a location of a site is found, in nginx's order: an exact path wins; else the longest prefix is remembered, and wins at once
 * when it is final; else the first regular expression in the order of the file; else the remembered prefix. */
enum location_match {
    LOCATION_PREFIX, LOCATION_PREFIX_FINAL, LOCATION_EXACT, LOCATION_REGEX, LOCATION_REGEX_IGNORE_CASE,
    LOCATION_NAMED,                 /* reached by name alone: an error page, tryFiles, a script */
    LOCATION_INNER,                 /* reached by a script's branch alone */
    LOCATION_FALLBACK,              /* takes what no other location of the site takes */
};
struct location_config {            /* http.routers.NAME.location: instead of a rule */
    const struct node *origin;
    struct str site;
    int match;
    struct str path;                /* or the expression, or the name */
    struct str within;              /* the router whose location it is nested in; empty: the site's own level */
    bool adds_slash;                /* the same path without its slash at the end is redirected here */
    struct str root;                /* a template: the folder that its files lie in; empty: it has none */
    struct str root_for;            /* what of the path stands for that folder ("/static/"); empty: nothing, the whole path lies in it */
    bool root_is_file;              /* nothing of the path is added */
    struct str media_types;         /* name of http.mediaTypes; empty: the system's */
};

/* http.mediaTypes.NAME: what files are, by the ends of their names. */
struct media_types_config {
    const struct node *origin;
    struct strmap types;            /* "text/html" -> "html htm" */
    struct str fallback;            /* of all others; empty: they have none */
};

/* A virtual host whose paths are matched by locations, nginx's way. On an entrypoint routers with rules come first, then the site
 * that has the host: an exact name, else the longest "*.x", else the longest "x.*", else the first regular expression ("~^...$"),
 * else the default one. */
struct site_config {
    const struct node *origin;
    struct strs entry_points;       /* empty: the default ones */
    struct strs names;
    struct strs default_on;         /* entrypoints whose unknown hosts it takes; where none does, the first site */
    struct strs middlewares;        /* passed before a location is looked for: server-level scripts */
    struct site_tls *tls;           /* NULL: plain HTTP only */
    struct client_limits *limits;   /* of its routers that have none of their own; NULL: the entrypoint's */
    bool merge_slashes;             /* "//" in a path counts as "/" */
    struct strs plain_on;           /* with tls: entrypoints on which it takes plain HTTP all the same */
};

/* What clients may take of time and room for a request: http.routers.R.limits, http.sites.S.limits. */
enum body_file { BODY_FILE_OFF, BODY_FILE_CLEAN, BODY_FILE_KEEP };

struct client_limits {
    const struct node *origin;
    int64_t body_memory;            /* bytes of a request's body that is held; more goes to a file. 0: as who holds it says */
    int body_file;                  /* enum body_file: bodies that are held lie in files with names */
    struct str body_folder;         /* of such files; empty: $TMPDIR */
    int64_t body_bytes;             /* of a request's body; 0: any number */
    int64_t body_timeout, send_timeout, idle_timeout;   /* ns; 0: as the entrypoint says */
    int64_t keep_alive_header;      /* seconds, told in Keep-Alive; 0: nothing is told */
    int64_t requests;               /* that a connection may have had; 0: as the entrypoint says */
    bool keep_alive;                /* connections may serve another request behind one of these */
    int64_t keep_alive_max_time;    /* ns that a connection may have lasted; 0: as the entrypoint says */
    struct strs keep_alive_disable; /* "msie6", "safari": browsers whose connections are not kept */
    bool chunked;                   /* HTTP/1.1 responses of unknown length come in chunks, else they end with the connection */
};

/* How a redirect to a path of the same host is written: Location: /path, or with scheme and host before it. */
struct redirect_form {
    const struct node *origin;
    bool absolute;
    bool port;                      /* absolute: with the entrypoint's port, unless it is the scheme's own */
    bool site_name;                 /* absolute: the site's first name instead of the host that was asked for */
};

struct router_config {
    const struct node *origin;
    struct strs entry_points;       /* empty: the default ones */
    struct str rule;                /* empty: it has a location */
    struct location_config *location;   /* NULL: it has a rule */
    int rule_syntax;
    int error_pages;                /* enum error_pages */
    int64_t priority;               /* 0: the rule's length */
    struct strs middlewares;
    struct str service;
    struct router_tls *tls;         /* NULL: plain HTTP only */
    struct client_limits *limits;   /* NULL: its site's, else the entrypoint's */
    struct router_observability *observability;
    struct router_maintenance *maintenance;     /* NULL: off */
    struct str server_header;       /* as its entrypoint's; empty: that one */
    struct redirect_form redirects;
};

struct middleware_config {
    const struct node *origin;
    struct choice type;
};

struct variable_config {              /* http.variables.NAME */
    const struct node *origin;
    struct choice type;
};

struct service_config {
    const struct node *origin;
    struct choice type;
    struct strs middlewares;        /* run after the router's */
    bool maintenance;               /* it is not asked */
};

struct forwarding_timeouts {
    const struct node *origin;
    int64_t dial_timeout, response_header_timeout, idle_conn_timeout, read_timeout;   /* ns; 0: none */
    int64_t send_timeout;           /* ns between two writes of a request's body; 0: as read_timeout */
    int64_t tunnel_timeout;         /* ns of silence of a connection that was upgraded; 0: none */
    int64_t max_conn_age;           /* ns after which a connection takes no further request; 0: none */
    int64_t read_idle_timeout, ping_timeout;        /* ns; HTTP/2: a PING after silence, and time for its answer */
};

struct transport_config {           /* http.serversTransports.NAME and serversTransport */
    const struct node *origin;
    int64_t max_idle_conns_per_host;
    int64_t max_requests_per_conn;  /* 0: any number */
    struct str local_address;       /* that connections are made from; empty: any */
    bool transparent;               /* ... even if it is none of this host */
    bool tcp_keep_alive;
    struct str congestion_control;  /* net/congestion.h; empty: nothing is said */
    bool bare_line_feeds;
    int64_t max_response_header_bytes;
    struct tls_client_options tls;  /* its origin is NULL: the keys stand in this object */
    struct tls_certificate_cache *certificate_cache;    /* as of site_tls; NULL: files are looked at for each request */
    bool disable_http2;
    struct forwarding_timeouts forwarding_timeouts;
};

struct http_config {
    const struct node *origin;
    struct objects routers;             /* struct router_config */
    struct objects middlewares;         /* struct middleware_config */
    struct objects services;            /* struct service_config */
    struct objects sites;               /* struct site_config */
    struct objects variables;           /* struct variable_config */
    struct objects media_types;         /* struct media_types_config */
    struct objects servers_transports;  /* struct transport_config */
    struct objects access_logs;         /* struct access_log_output (model/request_log.h) */
    struct objects error_logs;          /* struct error_log_output */
};

extern const struct option_table http_config_table;
extern const struct option_table transport_table;

/* Set once at start by the folders that know the types. */
extern choice_at model_middleware_choices, model_service_choices, model_variable_choices;

#endif
