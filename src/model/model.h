/* The whole of what a configuration says. `static` and dynamic parts are one struct here: a file may hold both;
 * which provider gave what stays known by each object's node and by `struct model_part`.
 *
 * Ownership: a model owns its arena; everything in it lives there. It is built and read by the control thread. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "base/diag.h"
#include "model/discovery.h"
#include "model/docker.h"
#include "model/entrypoint.h"
#include "model/http.h"
#include "model/observability.h"
#include "model/process.h"

enum access_log_format { ACCESS_COMMON, ACCESS_GENERIC_CLF, ACCESS_COMBINED, ACCESS_JSON };
enum field_mode { FIELD_MODE_KEEP, FIELD_MODE_DROP, FIELD_MODE_REDACT };

struct access_log_filters {
    const struct node *origin;
    struct strs status_codes;      /* "200", "300-302" */
    bool retry_attempts;
    int64_t min_duration;          /* ns */
};
struct access_log_headers {
    const struct node *origin;
    int default_mode;
    struct strmap names;           /* header -> keep | drop | redact */
};
struct access_log_fields {
    const struct node *origin;
    int default_mode;
    struct strmap names;           /* field -> keep | drop */
    struct access_log_headers headers;
    struct access_log_headers query_parameters;
};
struct access_log_config {
    const struct node *origin;
    struct str file_path;          /* empty: standard output */
    int format;
    int64_t buffering_size;        /* lines */
    bool add_internals;
    struct access_log_filters filters;
    struct access_log_fields fields;
};

struct log_config {
    const struct node *origin;
    int level, format;
    struct str file_path;
    bool no_color;
    struct strs also_to;           /* names of http.errorLogs */
};

struct ping_config {
    const struct node *origin;
    struct str entry_point;
    bool manual_routing;
    int64_t terminating_status_code;
};

struct file_provider_config {
    const struct node *origin;
    struct str filename, directory;
    bool watch;
};
struct nginx_provider_config {
    const struct node *origin;
    struct str filename, prefix;
    bool watch;
};
struct providers_config {
    const struct node *origin;
    int64_t throttle_duration;     /* ns between two snapshots that providers cause */
    struct file_provider_config *file;
    struct nginx_provider_config *nginx;
    struct docker_config *docker, *swarm;      /* NULL: not asked for */
};

struct core_config {
    const struct node *origin;
    int default_rule_syntax;
};

/* Read for files that have it. */
struct global_config {
    const struct node *origin;
    bool unused;
};

struct config {
    const struct node *origin;
    struct str user;               /* who the process goes on as when root started it; empty: as it is */
    int64_t workers;               /* 0: as many as CPUs */
    struct process_config process;
    int64_t memory_limit;          /* bytes of buffers per worker; 0: none */
    struct objects entry_points;   /* struct entrypoint */
    struct providers_config providers;
    struct log_config log;
    struct access_log_config *access_log;
    struct ping_config *ping;
    struct api_config *api;                     /* NULL: neither API nor dashboard */
    struct metrics_config *metrics;             /* NULL: nothing is exported; the dashboard counts all the same */
    struct tracing_config *tracing;             /* NULL: off */
    int error_pages;                            /* enum error_pages */
    struct core_config core;
    struct global_config global;
    struct transport_config servers_transport;
    struct objects certificates_resolvers;      /* struct resolver_config */
    struct automatic_https *automatic_https;    /* NULL: off */
    struct tls_config tls;
    struct http_config http;
};

/* Everything: static and dynamic options (the main file, flags, environment). */
extern const struct option_table config_table;

/* What a dynamic file (providers.file) may hold. */
struct dynamic_config {
    const struct node *origin;
    struct tls_config tls;
    struct http_config http;
};
extern const struct option_table dynamic_table;

/* One provider's dynamic configuration. */
struct model_part {
    struct str provider;           /* "file", "docker", "internal": what stands behind '@' */
    const struct http_config *http;
    const struct tls_config *tls;
    /* Its objects come from many hands: what is wrong with one disables that one alone (a remark, and a warning instead of an
     * error), and so does what refers to an object of such a part that is not there. */
    bool lenient;
};

/* An object that does not run as its author wrote it: left out because of a mistake, or run although something is amiss. Whoever
 * finds that out while the model is filled or compiled says so here; the API shows it at the object. */
enum remark_kind { REMARK_ROUTER, REMARK_MIDDLEWARE, REMARK_SERVICE, REMARK_TRANSPORT, REMARK_TLS_OPTIONS, REMARK_SITE,
                   REMARK_VARIABLE };
/* "router", "serversTransport", "tlsOptions", ... */
const char *remark_kind_text(enum remark_kind kind);
struct remark {
    enum remark_kind kind;
    struct str provider, name;     /* "docker", "api@docker" */
    struct str reason;
    struct str place;              /* "portico.yaml:14:21", a container's label; empty: none is known */
    bool left_out;                 /* false: it runs */
    const void *config;            /* of one that was left out: struct router_config, ...; NULL: nothing could be made of it */
};

/* A configuration file as it was read. */
struct model_text {
    struct str path, content;
};

struct model {
    struct arena arena;
    struct config config;
    struct model_part *parts;      /* the main file's own http section first, as "file" */
    size_t part_count;
    struct remark *remarks;
    size_t remark_count, remark_capacity;
    struct model_text *texts;      /* what it was made from, for reading all but the files anew (struct settings.former) */
    size_t text_count;
    struct discovered *discovered;
    size_t discovered_count;
};

struct model *model_new(void);
void model_free(struct model *model);
void model_add_part(struct model *model, struct str provider, const struct http_config *http, const struct tls_config *tls);
/* The same, lenient. */
void model_add_lenient_part(struct model *model, struct str provider, const struct http_config *http, const struct tls_config *tls);
/* `content` lies in the model's arena already. */
void model_keep_text(struct model *model, struct str path, struct str content);
/* NULL: no such file was read. */
const struct model_text *model_text(const struct model *model, struct str path);
/* Texts are copied, `config` is not. The same words about the same object are one remark. */
void model_add_remark(struct model *model, const struct remark *remark);

#endif
