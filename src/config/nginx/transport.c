/* How a place's connections to servers are made: the time limits of proxy_* or grpc_*, and what its upstream{} says of keeping them. */
#include "config/nginx/upstream.h"

#define DEFAULT_MS 60000
#define KEEPALIVE_COUNT 32
#define KEEPALIVE_TIMEOUT_MS 60000
#define KEEPALIVE_TIME_MS 3600000
#define KEEPALIVE_REQUESTS 1000

const char *nginx_place_prefix(const struct nginx_place *place)
{
    for (; place != NULL; place = place->outer) {
        if (nginx_here(place->scope, "grpc_pass") != NULL)
            return "grpc";
        if (nginx_here(place->scope, "proxy_pass") != NULL || place->kind == NGINX_PLACE_LOCATION)
            break;
    }
    return "proxy";
}

static const char *named(struct nginx_compile *compile, const char *prefix, const char *rest)
{
    return arena_printf(compile->arena, "%s_%s", prefix, rest).data;
}

static void put_limits(struct nginx_place *place, struct node *transport, struct span span)
{
    struct nginx_compile *compile = place->compile;
    const char *prefix = nginx_place_prefix(place);
    struct node *limits = nginx_put_map(compile, transport, "forwardingTimeouts", span);
    int64_t reading = nginx_find_time(place, named(compile, prefix, "read_timeout"), DEFAULT_MS);
    nginx_put_time(compile, limits, "dialTimeout", nginx_find_time(place, named(compile, prefix, "connect_timeout"), DEFAULT_MS), span);
    nginx_put_time(compile, limits, "responseHeaderTimeout", reading, span);
    nginx_put_time(compile, limits, "readTimeout", reading, span);
    nginx_put_time(compile, limits, "tunnelTimeout", reading, span);
    nginx_put_time(compile, limits, "sendTimeout", nginx_find_time(place, named(compile, prefix, "send_timeout"), DEFAULT_MS), span);
}

static int64_t time_of(const struct nginx_directive *group, const char *name, int64_t fallback)
{
    const struct nginx_directive *directive = group != NULL ? nginx_within(group, name) : NULL;
    int64_t value;
    return directive != NULL && directive->count > 0 && nginx_time(directive->words[0].text, &value) ? value : fallback;
}

static int64_t number_of(const struct nginx_directive *group, const char *name, int64_t fallback)
{
    const struct nginx_directive *directive = group != NULL ? nginx_within(group, name) : NULL;
    int64_t value;
    return directive != NULL && directive->count > 0 && str_to_i64(directive->words[0].text, &value) ? value : fallback;
}

static void put_keeping(struct nginx_place *place, struct node *transport, struct span span)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *group = nginx_place_group(place);
    struct node *limits = nginx_put_map(compile, transport, "forwardingTimeouts", span);
    int64_t kept = number_of(group, "keepalive", KEEPALIVE_COUNT);
    nginx_put_number(compile, transport, "maxIdleConnsPerHost", kept > 0 ? kept : -1, span);
    nginx_put_number(compile, transport, "maxRequestsPerConn", number_of(group, "keepalive_requests", KEEPALIVE_REQUESTS), span);
    nginx_put_time(compile, limits, "maxConnAge", time_of(group, "keepalive_time", KEEPALIVE_TIME_MS), span);
    nginx_put_time(compile, limits, "idleConnTimeout", time_of(group, "keepalive_timeout", KEEPALIVE_TIMEOUT_MS), span);
}

struct node *nginx_place_transport(struct nginx_place *place)
{
    struct nginx_compile *compile = place->compile;
    struct span span = place->block->span;
    struct node *transport = nginx_put_map_named(compile, nginx_section(compile, "http.serversTransports"), place->name, span);
    if (transport->count != 0)
        return transport;
    nginx_put_flag(compile, transport, "bareLineFeeds", true, span);
    put_limits(place, transport, span);
    put_keeping(place, transport, span);
    return transport;
}
