#include "model/entrypoint.h"

#include "http/token.h"
#include "model/observability.h"
#include "net/addr.h"
#include "net/congestion.h"

static const struct option forwarded_headers_options[] = {
    OPTION(BOOL, struct forwarded_headers, insecure,
           .help = "Trust the X-Forwarded-* fields of every peer. Only behind another proxy."),
    OPTION_NAMED(STRS, struct forwarded_headers, trusted_ips, "trustedIPs", .check = network_check,
                 .help = "Addresses and networks whose X-Forwarded-* fields are trusted."),
    OPTION(BOOL, struct forwarded_headers, pass,
           .help = "Pass X-Forwarded-*, X-Real-IP, Forwarded and X-Request-ID on as they came, and add none (nginx's way)."),
};
static const struct option_table forwarded_headers_table =
    OPTION_TABLE(struct forwarded_headers, forwarded_headers_options, .summary = "Whose word is taken for who the client is.");

static const struct option proxy_protocol_options[] = {
    OPTION(BOOL, struct proxy_protocol, insecure, .help = "Expect the PROXY protocol from every peer."),
    OPTION_NAMED(STRS, struct proxy_protocol, trusted_ips, "trustedIPs", .check = network_check,
                 .help = "Addresses and networks whose PROXY protocol header (v1 or v2) is read and believed."),
    OPTION(BOOL, struct proxy_protocol, required, .help = "Connections that begin without a header are closed."),
    OPTION_NAMED(BOOL, struct proxy_protocol, keep_peer, "keepPeer",
                 .help = "The connection's other end stays the client; what the header says is for realIp and variables."),
};
static const struct option_table proxy_protocol_table =
    OPTION_TABLE(struct proxy_protocol, proxy_protocol_options, .summary = "The PROXY protocol from load balancers in front.");

static const struct option redirection_options[] = {
    OPTION(STR, struct entrypoint_redirection, to, .required = true,
           .help = "The entrypoint (its name, or \":port\") that requests are sent to."),
    OPTION(STR, struct entrypoint_redirection, scheme, .fallback = "https", .help = "The scheme of the target."),
    OPTION(BOOL, struct entrypoint_redirection, permanent, .fallback = "true",
           .help = "301/308 instead of 302/307."),
    OPTION(INT, struct entrypoint_redirection, priority, .fallback = "9223372036854775806",
           .help = "Priority of the router that redirects."),
};
static const struct option_table redirection_table =
    OPTION_TABLE(struct entrypoint_redirection, redirection_options, .summary = "A redirection of everything that comes here.");

static const struct option redirections_options[] = {
    OPTION_NAMED(OBJECT, struct entrypoint_redirections, entry_point, "entryPoint", .table = &redirection_table,
                 .help = "Redirect to another entrypoint."),
};
static const struct option_table redirections_table =
    OPTION_TABLE(struct entrypoint_redirections, redirections_options, .summary = "Redirections of an entrypoint.");

#define ALLOW(member, key, what) \
    OPTION_NAMED(BOOL, struct encoded_characters, member, key, .fallback = "true", \
                 .help = "Let an encoded " what " in a path pass; else such a request gets 400."),
static const struct option encoded_characters_options[] = {ENCODED_CHARACTERS_OPTIONS(ALLOW)};
static const struct option_table encoded_characters_table =
    OPTION_TABLE(struct encoded_characters, encoded_characters_options, .summary = "Which encoded characters a path may hold.");

static const struct option_name underscore_names[] = {
    {"keep", UNDERSCORE_KEEP}, {"delete", UNDERSCORE_DELETE}, {"reject", UNDERSCORE_REJECT}, {NULL, 0}};

static const struct option http_options[] = {
    OPTION(OBJECT, struct entrypoint_http, redirections, .table = &redirections_table,
           .help = "Redirections of everything that comes here."),
    OPTION(STRS, struct entrypoint_http, middlewares,
           .help = "Middlewares that every router of this entrypoint gets in front of its own."),
    OPTION_NAMED(SIZE, struct entrypoint_http, max_header_bytes, "maxHeaderBytes", .fallback = "1048576", .min = 1024,
                 .max = 16777216, .help = "Bytes that a request head may have; more gets 431."),
    OPTION_NAMED(BOOL, struct entrypoint_http, bare_line_feeds, "bareLineFeeds",
                 .help = "Heads over HTTP/1 may have lines that end with LF alone. Not behind another proxy, which could read them differently."),
    OPTION_NAMED(SIZE, struct entrypoint_http, max_line_bytes, "maxLineBytes", .fallback = "65536", .min = 256,
                 .max = 1048576, .help = "Bytes that a request line may have; more gets 414."),
    OPTION_NAMED(INT, struct entrypoint_http, max_header_fields, "maxHeaderFields", .fallback = "256", .min = 1,
                 .max = 10000, .help = "Header fields that a request may have; more gets 431."),
    OPTION_NAMED(BOOL, struct entrypoint_http, encode_query_semicolons, "encodeQuerySemicolons",
                 .help = "Encode semicolons in queries instead of reading them as '&'."),
    OPTION_NAMED(BOOL, struct entrypoint_http, keep_query_semicolons, "keepQuerySemicolons",
                 .help = "Leave semicolons in queries as they came; encodeQuerySemicolons has no effect then."),
    OPTION_NAMED(BOOL, struct entrypoint_http, sanitize_path, "sanitizePath", .fallback = "true",
                 .help = "Collapse '//', '/./' and '/../' in paths before routing."),
    OPTION(BOOL, struct entrypoint_http, via, .help = "Add Via (RFC 9110 7.6.3) to requests and responses."),
    OPTION_NAMED(ENUM, struct entrypoint_http, underscore_headers_strategy, "underscoreHeadersStrategy",
                 .names = underscore_names, .fallback = "keep",
                 .help = "What is done with header fields that have an underscore in their name."),
    OPTION_NAMED(ENUM, struct entrypoint_http, unusual_headers_strategy, "unusualHeadersStrategy", .names = underscore_names,
                 .fallback = "keep",
                 .help = "What is done with header fields whose name has other characters than letters, digits, dashes and underscores. "
                         "With delete, over HTTP/1, also with those whose name has characters that none may have; else they get 400."),
    OPTION_NAMED(BOOL, struct entrypoint_http, refuse_trace, "refuseTrace", .help = "TRACE gets 405 and is passed on to nobody."),
    OPTION_NAMED(BOOL, struct entrypoint_http, refuse_empty_host, "refuseEmptyHost",
                 .help = "A Host field that names nothing gets 400."),
    OPTION_NAMED(BOOL, struct entrypoint_http, refuse_repeated_fields, "refuseRepeatedFields",
                 .help = "More than one Authorization, Proxy-Authorization, Content-Range, If-Match, If-None-Match, If-Modified-Since, "
                         "If-Unmodified-Since or If-Range gets 400; else they are passed on."),
    OPTION_NAMED(BOOL, struct entrypoint_http, repair_targets, "repairTargets",
                 .help = "In targets quotes, angle brackets, backslashes and bytes beyond ASCII are encoded, and a fragment is cut off, "
                         "before anything is done with them; else they get 400."),
    OPTION_NAMED(BOOL, struct entrypoint_http, keep_alive_field, "keepAliveField",
                 .help = "Responses say Connection: keep-alive to HTTP/1.1 clients too, which take it for granted."),
    OPTION_NAMED(BOOL, struct entrypoint_http, half_close_is_gone, "halfCloseIsGone",
                 .help = "A client that ends its direction of the connection behind a whole HTTP/1 request is gone at once, as nginx has "
                         "it; else it has 2 seconds to go on taking its response."),
    OPTION_NAMED(STRUCT, struct entrypoint_http, encoded_characters, "encodedCharacters",
                 .table = &encoded_characters_table, .help = "Which encoded characters a path may hold."),
    OPTION(OBJECT, struct entrypoint_http, tls, .table = &router_tls_table,
           .help = "TLS for every router of this entrypoint that has no tls of its own."),
    OPTION_NAMED(ENUM, struct entrypoint_http, error_pages, "errorPages", .names = own_error_pages_names,
                 .fallback = "inherit", .help = "What the proxy's own answers look like here, instead of what errorPages says for all."),
    OPTION_NAMED(STR, struct entrypoint_http, server_header, "serverHeader", .check = token_field_value_check,
                 .help = "The Server field of responses that have none; empty: they get none."),
};
static const struct option_table http_table =
    OPTION_TABLE(struct entrypoint_http, http_options, .summary = "HTTP on an entrypoint.");

static const struct option http2_options[] = {
    OPTION(BOOL, struct entrypoint_http2, h2c, .fallback = "true",
           .help = "Take HTTP/2 without TLS from clients that begin with its preface (prior knowledge)."),
    OPTION_NAMED(INT, struct entrypoint_http2, max_concurrent_streams, "maxConcurrentStreams", .fallback = "250", .min = 1,
                 .max = 100000, .help = "Streams that a connection may have open at once."),
    OPTION_NAMED(INT, struct entrypoint_http2, max_running_requests, "maxRunningRequests", .fallback = "500", .min = 1,
                 .max = 1000000,
                 .help = "Requests of one connection that may be under way, those of reset streams included."),
    OPTION_NAMED(INT, struct entrypoint_http2, reset_burst, "resetBurst", .fallback = "200", .min = 1, .max = 1000000,
                 .help = "Streams that may end by a reset at once; beyond resetBurst and resetRate the connection ends."),
    OPTION_NAMED(INT, struct entrypoint_http2, reset_rate, "resetRate", .fallback = "20", .min = 1, .max = 1000000,
                 .help = "Streams that may end by a reset per second."),
    OPTION_NAMED(INT, struct entrypoint_http2, control_burst, "controlBurst", .fallback = "1000", .min = 10,
                 .max = 10000000, .help = "Frames that carry nothing (PING, SETTINGS, PRIORITY, empty DATA) at once."),
    OPTION_NAMED(INT, struct entrypoint_http2, control_rate, "controlRate", .fallback = "100", .min = 1, .max = 1000000,
                 .help = "Frames that carry nothing per second."),
    OPTION_NAMED(SIZE, struct entrypoint_http2, stream_window, "streamWindow", .fallback = "262144", .min = 65535,
                 .max = 16777216, .help = "Bytes of a request's body that a client may send ahead."),
    OPTION_NAMED(SIZE, struct entrypoint_http2, connection_window, "connectionWindow", .fallback = "1048576",
                 .min = 65535, .max = 67108864, .help = "The same for all streams of a connection together."),
    OPTION_NAMED(BOOL, struct entrypoint_http2, any_opening, "anyOpening",
                 .help = "Clients may leave out the SETTINGS that must be their first frame (RFC 9113 3.4)."),
    OPTION_NAMED(BOOL, struct entrypoint_http2, go_away_at_once, "goAwayAtOnce",
                 .help = "A connection that has served enough (keepAliveMaxRequests, keepAliveMaxTime) is told at once which request was "
                         "its last, as nginx does, and clients send again what was on its way; else a notice goes first, so that "
                         "nothing crosses it (RFC 9113 6.8)."),
};
static const struct option_table http2_table =
    OPTION_TABLE(struct entrypoint_http2, http2_options, .summary = "HTTP/2 on an entrypoint.");

static const struct option responding_timeouts_options[] = {
    OPTION_NAMED(DURATION, struct responding_timeouts, read_timeout, "readTimeout", .fallback = "60s",
                 .help = "Time for a request head to be complete, and between two arrivals of body bytes; 0: none."),
    OPTION_NAMED(DURATION, struct responding_timeouts, write_timeout, "writeTimeout", .fallback = "60s",
                 .help = "Time in which a client must take some of what waits for it; 0: none (but minimumRate)."),
    OPTION_NAMED(DURATION, struct responding_timeouts, idle_timeout, "idleTimeout", .fallback = "180s",
                 .help = "Time that a keep-alive connection may stay without a request; 0: none."),
    OPTION_NAMED(SIZE, struct responding_timeouts, minimum_rate, "minimumRate", .fallback = "64",
                 .help = "Bytes a second that a client must give or take of a body once the grace has passed; 0: off."),
    OPTION_NAMED(DURATION, struct responding_timeouts, minimum_rate_grace, "minimumRateGrace", .fallback = "30s",
                 .help = "Time that a client may hold up a body before the minimum rate counts."),
};
static const struct option_table responding_timeouts_table =
    OPTION_TABLE(struct responding_timeouts, responding_timeouts_options,
                 .summary = "Limits of progress, not of wall-clock time: honest slow work goes on.");

static const struct option life_cycle_options[] = {
    OPTION_NAMED(DURATION, struct life_cycle, request_accept_grace_timeout, "requestAcceptGraceTimeout", .fallback = "0s",
                 .help = "Time to go on accepting after SIGTERM, while ping already answers 503."),
    OPTION_NAMED(DURATION, struct life_cycle, grace_timeout, "graceTimeOut", .fallback = "10s",
                 .help = "Time for requests under way to end after SIGTERM."),
};
static const struct option_table life_cycle_table =
    OPTION_TABLE(struct life_cycle, life_cycle_options, .summary = "Stopping.");

static const struct option transport_options[] = {
    OPTION_NAMED(STRUCT, struct entrypoint_transport, responding_timeouts, "respondingTimeouts",
                 .table = &responding_timeouts_table, .help = "Time limits of clients."),
    OPTION_NAMED(STRUCT, struct entrypoint_transport, life_cycle, "lifeCycle", .table = &life_cycle_table,
                 .help = "Stopping."),
    OPTION_NAMED(INT, struct entrypoint_transport, keep_alive_max_requests, "keepAliveMaxRequests", .min = 0,
                 .max = 1000000000, .help = "Requests that a connection may carry; 0: any number."),
    OPTION_NAMED(DURATION, struct entrypoint_transport, keep_alive_max_time, "keepAliveMaxTime",
                 .help = "Time after which a connection is closed behind its current request; 0: none."),
};
static const struct option_table transport_table =
    OPTION_TABLE(struct entrypoint_transport, transport_options, .summary = "Connections of an entrypoint.");

static const struct option observability_options[] = {
    OPTION_NAMED(BOOL, struct entrypoint_observability, access_logs, "accessLogs", .fallback = "true",
                 .help = "Write access-log lines for its requests."),
    OPTION(BOOL, struct entrypoint_observability, metrics, .fallback = "true", .help = "Count its requests."),
    OPTION(BOOL, struct entrypoint_observability, tracing, .fallback = "true", .help = "Trace its requests, where tracing is on."),
    OPTION_NAMED(ENUM, struct entrypoint_observability, trace_verbosity, "traceVerbosity", .names = trace_verbosity_names, .fallback = "minimal",
                 .help = "Spans of a traced request: minimal (its own, and one for each try at a server) or detailed (router, "
                         "middlewares and service too)."),
};
static const struct option_table observability_table =
    OPTION_TABLE(struct entrypoint_observability, observability_options, .summary = "What is recorded of an entrypoint.");

static const struct option socket_options[] = {
    OPTION_NAMED(BOOL, struct entrypoint_socket, ipv6_only, "ipv6Only",
                 .help = "\"[::]:80\" takes IPv6 connections alone, and leaves IPv4 to another entrypoint."),
    OPTION(BOOL, struct entrypoint_socket, deferred,
           .help = "A connection is accepted when its first bytes have come, or after a second of silence: a wake less for each (TCP_DEFER_ACCEPT)."),
    OPTION_NAMED(BOOL, struct entrypoint_socket, keep_alive, "keepAlive", .fallback = "true",
                 .help = "TCP keep-alive: peers that are silent are asked whether they are still there."),
    OPTION_NAMED(INT, struct entrypoint_socket, keep_alive_idle, "keepAliveIdle", .min = 0, .max = 32767,
                 .help = "Seconds of silence before the first such question; 0: 15."),
    OPTION_NAMED(INT, struct entrypoint_socket, keep_alive_interval, "keepAliveInterval", .min = 0, .max = 32767,
                 .help = "Seconds between two of them; 0: 15."),
    OPTION_NAMED(INT, struct entrypoint_socket, keep_alive_count, "keepAliveCount", .min = 0, .max = 127,
                 .help = "Questions without an answer after which the connection is gone; 0: as the system says."),
    OPTION_NAMED(STR, struct entrypoint_socket, congestion_control, "congestionControl", .check = congestion_check,
                 .help = "TCP congestion control of the connections: cubic, bbr, ...; none: the system's, but on a loopback address "
                         "cubic where that would be BBR, whose pacing only costs there."),
    OPTION(INT, struct entrypoint_socket, mode, .min = 0, .max = 511,
           .help = "Permissions of a Unix socket's file as a decimal number (438 is rw for all); 0: as the umask says."),
};
static const struct option_table socket_table =
    OPTION_TABLE(struct entrypoint_socket, socket_options, .summary = "The listening socket.");

static const struct option entrypoint_options[] = {
    OPTION(STR, struct entrypoint, address, .required = true, .check = addr_check_listen,
           .help = "Where to listen: \":80\", \"127.0.0.1:8080\", \"[::1]:80\", \"unix:/run/portico.sock\"."),
    OPTION_NAMED(BOOL, struct entrypoint, as_default, "asDefault",
                 .help = "Routers that name no entrypoint are on this one (if none is flagged: on all)."),
    OPTION(INT, struct entrypoint, backlog, .fallback = "4096", .min = 1, .max = 65535,
           .help = "Connections that may wait to be accepted."),
    OPTION(STRUCT, struct entrypoint, socket, .table = &socket_table, .help = "The listening socket."),
    OPTION_NAMED(BOOL, struct entrypoint, as_default, "reusePort",
                 .accepted = "every worker has a listening socket of its own, so the port is always shared"),
    OPTION_NAMED(STRUCT, struct entrypoint, forwarded_headers, "forwardedHeaders", .table = &forwarded_headers_table,
                 .help = "Whose X-Forwarded-* fields are trusted."),
    OPTION_NAMED(OBJECT, struct entrypoint, proxy_protocol, "proxyProtocol", .table = &proxy_protocol_table,
                 .help = "The PROXY protocol from load balancers in front."),
    OPTION_NAMED(BOOL, struct entrypoint, allow_acme_bypass, "allowACMEByPass",
                 .help = "Let routers answer /.well-known/acme-challenge/ where the request is for no order of ours."),
    OPTION(STRUCT, struct entrypoint, http, .table = &http_table, .help = "HTTP here."),
    OPTION(STRUCT, struct entrypoint, http2, .table = &http2_table, .help = "HTTP/2 here."),
    OPTION(STRUCT, struct entrypoint, transport, .table = &transport_table, .help = "Connections here."),
    OPTION(STRUCT, struct entrypoint, observability, .table = &observability_table,
           .help = "What is recorded of requests here."),
};
const struct option_table entrypoint_table =
    OPTION_TABLE(struct entrypoint, entrypoint_options, .summary = "An address that Portico listens on.");
