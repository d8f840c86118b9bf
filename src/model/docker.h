/* The options of the providers that read a container engine: providers.docker and providers.swarm. Traefik's names and defaults;
 * what Traefik lacks stands last. Lives in the model's arena; read-only. */
#ifndef MODEL_DOCKER_H
#define MODEL_DOCKER_H

#include "base/option.h"

struct engine_tls {
    const struct node *origin;
    struct str ca, cert, key;            /* files */
    bool insecure_skip_verify;
};

/* One struct for both: they differ in what they ask the engine for. */
struct docker_config {
    const struct node *origin;
    struct str endpoint;                 /* unix:///path, tcp://host:port, http://..., https://... */
    struct engine_tls *tls;              /* NULL: none; with it tcp:// is spoken over TLS */
    struct str username, password;       /* for an endpoint behind Basic authentication */
    int64_t http_client_timeout;         /* ns for one answer of the engine, its stream of events excepted; 0: none */
    bool exposed_by_default, watch, use_bind_port_ip, allow_empty_services;
    struct str network, default_rule, constraints;
    int64_t refresh_seconds;             /* ns; swarm: between two readings */
    bool swarm_mode;                     /* docker: Traefik 2's way to ask for Swarm */

    int64_t hold_timeout;                /* ns: of services that do not say; see service/load_balancer.h */
    int64_t slow_start;                  /* ns: of services that do not say */
    bool port_check;                     /* a server takes requests when its port has answered */
};

extern const struct option_table docker_table, swarm_table;

#endif
