#include "service/name_resolver.h"

#include "base/time.h"
#include "net/dns.h"

#define TIMEOUT (30 * TIME_S)

static const struct option options[] = {
    OPTION(STRS, struct name_resolver_config, servers, .check = dns_check_server,
           .help = "DNS servers, with a port if it is not 53; none: the system's, and /etc/hosts."),
    OPTION(DURATION, struct name_resolver_config, valid, .min = 0, .max = INT64_MAX,
           .help = "Time that an answer is remembered; 0: as it says itself."),
    OPTION(DURATION, struct name_resolver_config, timeout, .fallback = "30s", .min = 1000000, .max = INT64_MAX,
           .help = "Time that a request waits for an answer; of names that are watched: the longest pause after a failure."),
    OPTION(BOOL, struct name_resolver_config, ipv4, .fallback = "true", .help = "Use IPv4 addresses."),
    OPTION(BOOL, struct name_resolver_config, ipv6, .fallback = "true", .help = "Use IPv6 addresses."),
};
const struct option_table name_resolver_table = OPTION_TABLE(struct name_resolver_config, options, .summary = "Who is asked for names.");

static struct str joined(const struct strs *texts, struct arena *arena)
{
    struct str all = S("");
    for (size_t i = 0; i < texts->count; i++)
        all = arena_printf(arena, "%.*s%s%.*s", STR_ARGS(all), i != 0 ? "," : "", STR_ARGS(texts->items[i]));
    return all;
}

struct lookup_rule name_resolver_compile(const struct name_resolver_config *config, struct compile *compile)
{
    if (config == NULL)
        return (struct lookup_rule){.timeout = TIMEOUT};
    return (struct lookup_rule){.servers = joined(&config->servers, compile->arena),
                                .valid = config->valid,
                                .timeout = config->timeout,
                                .no_v4 = !config->ipv4,
                                .no_v6 = !config->ipv6};
}
