#include "service/load_balancer.h"

static const struct option server_options[] = {
    OPTION(STR, struct server_config, url, .required = true, .check = server_url_check,
           .help = "Where it is: http://host[:port], https://..., h2c://... (HTTP/2 without TLS), or unix:/path."),
    OPTION(INT, struct server_config, weight, .fallback = "1", .min = 0, .max = BALANCER_WEIGHT_MAX,
           .help = "Its share of the requests, beside those of the others; 0: no new ones."),
    OPTION_NAMED(BOOL, struct server_config, preserve_path, "preservePath",
                 .help = "Put the path of the URL in front of each request's; otherwise the URL's path means nothing."),
    OPTION(BOOL, struct server_config, leaving,
           .help = "It is about to stop: it is asked only where no other server is ready, and over new connections."),
    OPTION(BOOL, struct server_config, again,
           .help = "It is named a second time on purpose: as a server of its own, with turns, failures and limits of its own."),
    OPTION(BOOL, struct server_config, down, .help = "It is not asked at all, though it keeps its place."),
    OPTION(BOOL, struct server_config, backup, .help = "It is asked only while no other server can be: tier 1."),
    OPTION(INT, struct server_config, tier, .min = 0, .max = 1000,
           .help = "Servers of a tier are asked only while none of the lower ones can be."),
    OPTION_NAMED(INT, struct server_config, max_connections, "maxConnections", .min = 0, .max = UINT32_MAX,
                 .help = "Requests that may be under way there at once; 0: any number."),
    OPTION_NAMED(INT, struct server_config, max_fails, "maxFails", .min = 0, .max = 1000000,
                 .help = "Failures within failTimeout that take it out for as long; 0: as passiveHealthCheck says."),
    OPTION_NAMED(DURATION, struct server_config, fail_timeout, "failTimeout", .min = 0, .max = INT64_MAX,
                 .help = "See maxFails; 0: ten seconds."),
    OPTION(STR, struct server_config, route, .help = "The name by which sticky.route asks for it."),
    OPTION(STR, struct server_config, service,
           .help = "Its places are those of a service in DNS (SRV records: port, weight, priority): 'http' for _http._tcp before the URL's host."),
    OPTION(OBJECT, struct server_config, resolver, .table = &name_resolver_table, .help = "As the service's resolver, for this server's name."),
    OPTION(BOOL, struct server_config, drain, .help = "No new requests but those of clients that stick to it."),
};
static const struct option_table server_table =
    OPTION_TABLE(struct server_config, server_options, .summary = "One server of the service.");

static const struct option forwarding_options[] = {
    OPTION_NAMED(STR, struct response_forwarding, flush_interval, "flushInterval",
                 .accepted = "what a server sends is passed on as soon as it comes",
                 .help = "How often what came is passed on."),
};
static const struct option_table forwarding_table =
    OPTION_TABLE(struct response_forwarding, forwarding_options, .summary = "How responses are passed on.");

static const struct option options[] = {
    OPTION(LIST, struct load_balancer_config, servers, .table = &server_table, .help = "The servers."),
    OPTION(ENUM, struct load_balancer_config, strategy, .names = balancer_names, .fallback = "wrr",
           .help = "How a server is chosen."),
    OPTION_NAMED(BOOL, struct load_balancer_config, pass_host_header, "passHostHeader", .fallback = "true",
                 .help = "Pass on the Host that the client named; otherwise the server's own."),
    OPTION_NAMED(STR, struct load_balancer_config, servers_transport, "serversTransport",
                 .help = "How connections are made, by name; none: as serversTransport says."),
    OPTION_NAMED(OBJECT, struct load_balancer_config, response_forwarding, "responseForwarding",
                 .table = &forwarding_table, .help = "How responses are passed on."),
    OPTION(OBJECT, struct load_balancer_config, sticky, .table = &sticky_table,
           .help = "A client keeps the server that it had first."),
    OPTION_NAMED(OBJECT, struct load_balancer_config, health_check, "healthCheck", .table = &health_check_table,
                 .help = "Asks the servers whether they are well."),
    OPTION_NAMED(OBJECT, struct load_balancer_config, passive_health_check, "passiveHealthCheck",
                 .table = &passive_check_table, .help = "Takes out servers that fail live requests."),
    OPTION_NAMED(STR, struct load_balancer_config, hash_key, "hashKey",
                 .help = "What the strategies hash and consistentHash go by, with variables: \"${request.path}\"; none: the client's address."),
    OPTION(OBJECT, struct load_balancer_config, retries, .table = &retries_table,
           .help = "When another server is asked; otherwise where one gave no answer, if that is safe."),
    OPTION(OBJECT, struct load_balancer_config, resolver, .table = &name_resolver_table,
           .help = "Watches names of servers by DNS: each address is a server of its own, with turns, failures and limits; else a name "
                   "is one server that has several addresses."),
    OPTION_NAMED(BOOL, struct load_balancer_config, no_panic, "noPanic",
                 .help = "When failures of live requests have taken out every server, ask none; otherwise one is asked all the same."),
    OPTION_NAMED(BOOL, struct load_balancer_config, bad_gateway, "badGatewayWhenNone",
                 .help = "When no server can be asked the answer is 502, not 503."),
    OPTION_NAMED(DURATION, struct load_balancer_config, slow_start, "slowStart", .min = 0, .max = INT64_MAX,
                 .help = "Time in which a server that comes or comes back grows from a tenth of its share to the whole."),
    OPTION_NAMED(DURATION, struct load_balancer_config, hold_timeout, "holdTimeout", .fallback = "0s", .min = 0, .max = INT64_MAX,
                 .help = "Time that a request waits while no server is ready, if nothing of it was sent or it can be sent again."),
    OPTION_NAMED(INT, struct load_balancer_config, hold_max, "holdMax", .min = 0, .max = 10000000,
                 .help = "Requests that may wait so at once, those beyond are refused; 0: 10,000."),
};
const struct option_table load_balancer_table =
    OPTION_TABLE(struct load_balancer_config, options, .summary = "Spreads requests over servers.");
