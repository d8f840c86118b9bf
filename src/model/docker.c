#include "model/docker.h"

static const struct option tls_options[] = {
    OPTION(STR, struct engine_tls, ca, .help = "A file with the authorities that may vouch for the engine; none: the system's."),
    OPTION(STR, struct engine_tls, cert, .help = "Our certificate's file."),
    OPTION(STR, struct engine_tls, key, .help = "The file of our certificate's key."),
    OPTION_NAMED(BOOL, struct engine_tls, insecure_skip_verify, "insecureSkipVerify",
                 .help = "Believe any certificate that the engine shows."),
};
static const struct option_table tls_table = OPTION_TABLE(struct engine_tls, tls_options, .summary = "TLS to the engine.");

static const char *check_endpoint(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    static const struct str schemes[] = {STR("unix:///"), STR("tcp://"), STR("http://"), STR("https://")};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (str_starts_nocase(text, schemes[i]) && text.len > schemes[i].len)
            return NULL;
    return str_starts_nocase(text, S("ssh://")) ? "is reached over ssh, which is not spoken here: forward its socket with 'ssh -L'"
                                                : "is no endpoint: unix:///var/run/docker.sock, tcp://host:2375, https://host:2376";
}

#define COMMON_OPTIONS \
    OPTION(STR, struct docker_config, endpoint, .fallback = "unix:///var/run/docker.sock", .check = check_endpoint, \
           .help = "Where the engine listens: unix:///path, tcp://host:port, https://host:port."), \
    OPTION(OBJECT, struct docker_config, tls, .table = &tls_table, .help = "TLS to the engine."), \
    OPTION(STR, struct docker_config, username, .help = "Name for an endpoint that asks for a password."), \
    OPTION(STR, struct docker_config, password, .secret = true, .help = "Password for it."), \
    OPTION_NAMED(DURATION, struct docker_config, http_client_timeout, "httpClientTimeout", .fallback = "0s", \
                 .help = "Time for one answer of the engine; 0: none of its own."), \
    OPTION_NAMED(BOOL, struct docker_config, exposed_by_default, "exposedByDefault", .fallback = "true", \
                 .help = "Also without the label traefik.enable=true."), \
    OPTION(BOOL, struct docker_config, watch, .fallback = "true", .help = "Take up changes as they happen."), \
    OPTION_NAMED(BOOL, struct docker_config, use_bind_port_ip, "useBindPortIP", \
                 .help = "Reach servers at the address and port that the host publishes, where it is a certain address."), \
    OPTION_NAMED(BOOL, struct docker_config, allow_empty_services, "allowEmptyServices", \
                 .help = "Read for files that have it: what is not well keeps its router and answers 503 in any case."), \
    OPTION(STR, struct docker_config, network, .help = "The network to reach servers in, where their labels name none."), \
    OPTION_NAMED(STR, struct docker_config, default_rule, "defaultRule", .fallback = "Host(`{{ normalize .Name }}`)", \
                 .help = "The rule of routers that have none, as a template."), \
    OPTION(STR, struct docker_config, constraints, \
           .help = "Which of them are looked at: Label(`k`,`v`) and LabelRegex(`k`,`re`) with && || ! ()."), \
    OPTION_NAMED(DURATION, struct docker_config, hold_timeout, "holdTimeout", .fallback = "3s", .min = 0, .max = INT64_MAX, \
                 .help = "Time that requests wait for a server to be ready, where a service does not say."), \
    OPTION_NAMED(DURATION, struct docker_config, slow_start, "slowStart", .fallback = "5s", .min = 0, .max = INT64_MAX, \
                 .help = "Time in which a new server grows to its share beside others, where a service does not say."), \
    OPTION_NAMED(BOOL, struct docker_config, port_check, "portCheck", .fallback = "true", \
                 .help = "A server takes requests when its port has answered.")

static const struct option docker_options[] = {
    COMMON_OPTIONS,
    OPTION_NAMED(BOOL, struct docker_config, swarm_mode, "swarmMode",
                 .help = "Traefik 2's way to ask for Swarm; providers.swarm is today's."),
    OPTION_NAMED(DURATION, struct docker_config, refresh_seconds, "swarmModeRefreshSeconds", .fallback = "15s", .min = INT64_C(1000000000),
                 .max = INT64_MAX, .help = "Time between two readings of Swarm's services."),
};
const struct option_table docker_table =
    OPTION_TABLE(struct docker_config, docker_options, .summary = "Containers of a Docker engine (or Podman's), which announce themselves by labels.");

static const struct option swarm_options[] = {
    COMMON_OPTIONS,
    OPTION_NAMED(DURATION, struct docker_config, refresh_seconds, "refreshSeconds", .fallback = "15s", .min = INT64_C(1000000000),
                 .max = INT64_MAX, .help = "Time between two readings of the services, besides what events tell."),
};
const struct option_table swarm_table =
    OPTION_TABLE(struct docker_config, swarm_options, .summary = "Services of a Docker Swarm, which announce themselves by labels.");
