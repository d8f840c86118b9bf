#include "model/http.h"

#include "http/token.h"
#include "model/observability.h"
#include "model/request_log.h"
#include "net/addr.h"
#include "net/congestion.h"

choice_at model_middleware_choices, model_service_choices, model_variable_choices;

static const struct choice_type *middleware_choice(size_t index)
{
    return model_middleware_choices != NULL ? model_middleware_choices(index) : NULL;
}

static const struct choice_type *service_choice(size_t index)
{
    return model_service_choices != NULL ? model_service_choices(index) : NULL;
}

static const struct choice_type *variable_choice(size_t index)
{
    return model_variable_choices != NULL ? model_variable_choices(index) : NULL;
}

static const struct option observability_options[] = {
    OPTION_NAMED(BOOL, struct router_observability, access_logs, "accessLogs", .fallback = "true",
                 .help = "Write access-log lines for its requests."),
    OPTION_NAMED(BOOL, struct router_observability, subrequest_logs, "subrequestLogs",
                 .help = "Write lines to the logs of 'accessLogTo' for requests of the proxy's own as well (authRequest, mirror)."),
    OPTION_NAMED(STRS, struct router_observability, access_log_to, "accessLogTo",
                 .help = "Logs of http.accessLogs that its requests go to as well."),
    OPTION_NAMED(STRS, struct router_observability, error_log_to, "errorLogTo",
                 .help = "Logs of http.errorLogs that messages about its requests go to."),
    OPTION(BOOL, struct router_observability, metrics, .fallback = "true", .help = "Count its requests."),
    OPTION(BOOL, struct router_observability, tracing, .fallback = "true", .help = "Trace its requests, where tracing is on."),
    OPTION_NAMED(ENUM, struct router_observability, trace_verbosity, "traceVerbosity", .names = trace_verbosity_names,
                 .help = "minimal or detailed, instead of what its entrypoint says."),
};
static const struct option_table observability_table =
    OPTION_TABLE(struct router_observability, observability_options, .summary = "What is recorded of a router's requests.");

static const struct option maintenance_options[] = {
    OPTION_NAMED(INT, struct router_maintenance, retry_after, "retryAfter", .fallback = "30", .min = 0, .max = 31536000,
                 .help = "Seconds after which clients are told to come again."),
    OPTION_NAMED(STRS, struct router_maintenance, source_range, "sourceRange", .check = network_check,
                 .help = "Addresses and networks (CIDR) of clients that are served as ever."),
};
static const struct option_table maintenance_table =
    OPTION_TABLE(struct router_maintenance, maintenance_options, .summary = "Its requests are answered with 503 and a page that says why.");

static const struct option_name syntax_names[] = {{"default", RULE_DEFAULT}, {"v3", RULE_V3}, {"v2", RULE_V2}, {NULL, 0}};

static const struct option_name location_names[] = {{"prefix", LOCATION_PREFIX},
                                                    {"prefixFinal", LOCATION_PREFIX_FINAL},
                                                    {"exact", LOCATION_EXACT},
                                                    {"regex", LOCATION_REGEX},
                                                    {"regexIgnoreCase", LOCATION_REGEX_IGNORE_CASE},
                                                    {"named", LOCATION_NAMED},
                                                    {"inner", LOCATION_INNER},
                                                    {"fallback", LOCATION_FALLBACK},
                                                    {NULL, 0}};

static const struct option redirect_options[] = {
    OPTION(BOOL, struct redirect_form, absolute, .help = "Location names scheme and host, not the path alone."),
    OPTION(BOOL, struct redirect_form, port, .fallback = "true", .help = "... and the entrypoint's port, unless it is the scheme's own."),
    OPTION_NAMED(BOOL, struct redirect_form, site_name, "siteName",
                 .help = "... and the site's first name instead of the host that was asked for."),
};
static const struct option_table redirect_table =
    OPTION_TABLE(struct redirect_form, redirect_options, .summary = "How redirects to a path of the same host are written.");

static const struct option location_options[] = {
    OPTION(STR, struct location_config, site, .required = true, .help = "The site that it is a location of."),
    OPTION(ENUM, struct location_config, match, .names = location_names, .fallback = "prefix",
           .help = "An exact path wins, else the longest prefix that is final, else the first regular expression, else the longest prefix."),
    OPTION(STR, struct location_config, path, .help = "The path, the expression (Perl's syntax) or the name."),
    OPTION(STR, struct location_config, within, .help = "The router whose location this one is nested in."),
    OPTION_NAMED(BOOL, struct location_config, adds_slash, "addsSlash",
                 .help = "Its path without the slash at the end is redirected to it."),
    OPTION(STR, struct location_config, root,
           .help = "The folder that its files lie in, for the services and middlewares that look for files; may have variables."),
    OPTION_NAMED(STR, struct location_config, root_for, "rootFor",
                 .help = "The beginning of the path that the root stands for; none: the whole path is looked for below the root."),
    OPTION_NAMED(BOOL, struct location_config, root_is_file, "rootIsFile",
                 .help = "The root names the file itself: nothing of the path is added to it."),
    OPTION_NAMED(STR, struct location_config, media_types, "mediaTypes",
                 .help = "The media types (http.mediaTypes) of its files and texts; none: the system's."),
};
static const struct option_table location_table =
    OPTION_TABLE(struct location_config, location_options, .summary = "Which paths of a site a router takes.");

static const char *check_media_type(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return token_is_field_value(text) ? NULL : "is not a media type";
}

static const struct option media_types_options[] = {
    OPTION(STRMAP, struct media_types_config, types, .check = check_media_type,
           .help = "Media types, each with the ends of names that it has, without the dot: text/html: html htm."),
    OPTION_NAMED(STR, struct media_types_config, fallback, "default", .check = check_media_type,
                 .fallback = "application/octet-stream", .help = "The type of all other files; an empty text: none."),
};
static const struct option_table media_types_table =
    OPTION_TABLE(struct media_types_config, media_types_options, .summary = "What files are, by the ends of their names.");

static const char *check_browser(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return str_equal(text, S("msie6")) || str_equal(text, S("safari")) ? NULL : "is none of: msie6, safari";
}

static const struct option_name body_file_names[] = {
    {"off", BODY_FILE_OFF}, {"clean", BODY_FILE_CLEAN}, {"keep", BODY_FILE_KEEP}, {NULL, 0}};

static const struct option limits_options[] = {
    OPTION_NAMED(SIZE, struct client_limits, body_bytes, "bodyBytes",
                 .help = "Bytes that a request's body may have; more gets 413. 0: any number."),
    OPTION_NAMED(SIZE, struct client_limits, body_memory, "bodyMemory",
                 .help = "Bytes of a request's body that stay in memory where it is held whole; a longer one goes to a file. 0: as the "
                         "middleware that holds it says."),
    OPTION_NAMED(ENUM, struct client_limits, body_file, "bodyFile", .names = body_file_names, .fallback = "off",
                 .help = "Put each request body that is held into a file with a name, which ${request.bodyFile} tells: clean removes it "
                         "behind the request, keep leaves it."),
    OPTION_NAMED(STR, struct client_limits, body_folder, "bodyFolder",
                 .help = "The folder of such files, made where it is missing; none: $TMPDIR, else /tmp."),
    OPTION_NAMED(DURATION, struct client_limits, body_timeout, "bodyTimeout",
                 .help = "Time between two arrivals of body bytes; 0: the entrypoint's readTimeout."),
    OPTION_NAMED(DURATION, struct client_limits, send_timeout, "sendTimeout",
                 .help = "Time in which a client must take some of what waits for it; 0: the entrypoint's writeTimeout."),
    OPTION_NAMED(DURATION, struct client_limits, idle_timeout, "idleTimeout",
                 .help = "Time that the connection is kept behind such a request; 0: the entrypoint's idleTimeout."),
    OPTION_NAMED(BOOL, struct client_limits, keep_alive, "keepAlive", .fallback = "true",
                 .help = "HTTP/1: the connection may serve another request; false: it is closed behind the response."),
    OPTION_NAMED(INT, struct client_limits, keep_alive_header, "keepAliveHeader", .min = 0, .max = 31536000,
                 .help = "Seconds that clients are told in a Keep-Alive field; 0: no such field."),
    OPTION_NAMED(INT, struct client_limits, requests, "keepAliveMaxRequests", .min = 0, .max = 1000000000,
                 .help = "Requests after which the connection is closed; 0: the entrypoint's keepAliveMaxRequests."),
    OPTION_NAMED(DURATION, struct client_limits, keep_alive_max_time, "keepAliveMaxTime",
                 .help = "Time after which the connection is closed behind such a request; 0: the entrypoint's keepAliveMaxTime."),
    OPTION_NAMED(STRS, struct client_limits, keep_alive_disable, "keepAliveDisable", .check = check_browser,
                 .help = "Browsers whose connections are not kept: msie6 (Internet Explorer 6 and older, behind a POST), safari (on macOS)."),
    OPTION(BOOL, struct client_limits, chunked, .fallback = "true",
           .help = "HTTP/1.1 responses of unknown length come in chunks; false: they end with the connection."),
};
static const struct option_table limits_table =
    OPTION_TABLE(struct client_limits, limits_options, .summary = "What clients may take of time and room for a request.");

static const struct option site_options[] = {
    OPTION_NAMED(STRS, struct site_config, entry_points, "entryPoints",
                 .help = "The entrypoints that it listens on; none: the default ones."),
    OPTION(STRS, struct site_config, names,
           .help = "Its hosts: example.com, *.example.com, www.example.*, .example.com (both), ~^(?<name>.+)\\.example\\.com$."),
    OPTION_NAMED(STRS, struct site_config, default_on, "defaultOn",
                 .help = "Entrypoints whose unknown hosts it takes; where no site does, the first one."),
    OPTION(STRS, struct site_config, middlewares, .help = "Middlewares that requests pass before a location is looked for."),
    OPTION(OBJECT, struct site_config, tls, .table = &site_tls_table, .help = "It takes HTTPS; an empty one will do."),
    OPTION(OBJECT, struct site_config, limits, .table = &limits_table,
           .help = "What clients may take of time and room, for its routers that say nothing of it."),
    OPTION_NAMED(STRS, struct site_config, plain_on, "plainOn",
                 .help = "With tls: entrypoints on which it takes plain HTTP all the same."),
    OPTION_NAMED(BOOL, struct site_config, merge_slashes, "mergeSlashes", .fallback = "true",
                 .help = "Paths are matched with repeated slashes taken as one."),
};
static const struct option_table site_table =
    OPTION_TABLE(struct site_config, site_options, .summary = "A virtual host whose paths are matched by locations.");

static void validate_router(void *value, const struct node *node, struct diag *diag)
{
    const struct router_config *config = value;
    if (config->location == NULL && str_empty(config->rule) && node_get(node, S("rule")) == NULL)
        diag_error(diag, node_span(node), "a router needs a rule or a location");
    else if (config->location != NULL && !str_empty(config->rule))
        diag_error(diag, node_span(node_get(node, S("location"))), "a router has a rule or a location, not both");
}

static const struct option router_options[] = {
    OPTION_NAMED(STRS, struct router_config, entry_points, "entryPoints",
                 .help = "The entrypoints that it listens on; none: the default ones."),
    OPTION(STR, struct router_config, rule,
           .help = "Which requests it takes: Host(`example.com`) && PathPrefix(`/api`)."),
    OPTION(OBJECT, struct router_config, location, .table = &location_table,
           .help = "Which paths of a site it takes, instead of a rule."),
    OPTION_NAMED(ENUM, struct router_config, rule_syntax, "ruleSyntax", .names = syntax_names, .fallback = "default",
                 .help = "The language of the rule: v3, or v2 of older files."),
    OPTION(INT, struct router_config, priority, .min = INT64_MIN, .max = INT64_MAX - 1000,
           .help = "Higher is tried first; 0: the length of the rule."),
    OPTION(STRS, struct router_config, middlewares, .help = "The middlewares that a request passes, in order."),
    OPTION(STR, struct router_config, service, .required = true, .help = "The service that takes the requests."),
    OPTION(OBJECT, struct router_config, tls, .table = &router_tls_table,
           .help = "It takes HTTPS, and only HTTPS; an empty one will do."),
    OPTION(OBJECT, struct router_config, limits, .table = &limits_table,
           .help = "What clients may take of time and room for its requests."),
    OPTION(OBJECT, struct router_config, observability, .table = &observability_table,
           .help = "What is recorded of its requests."),
    OPTION(OBJECT, struct router_config, maintenance, .table = &maintenance_table,
           .help = "It is under maintenance: its requests are answered with 503; an empty one will do."),
    OPTION_NAMED(ENUM, struct router_config, error_pages, "errorPages", .names = own_error_pages_names,
                 .fallback = "inherit", .help = "What the proxy's own answers to its requests look like, instead of what its entrypoint says."),
    OPTION_NAMED(STR, struct router_config, server_header, "serverHeader", .check = token_field_value_check,
                 .help = "The Server field of responses that have none, instead of its entrypoint's."),
    OPTION(STRUCT, struct router_config, redirects, .table = &redirect_table,
           .help = "How redirects to a path of the same host are written."),
};
static const struct option_table router_table =
    OPTION_TABLE(struct router_config, router_options, .validate = validate_router, .summary = "Which requests go where.");

static const struct option middleware_options[] = {
    OPTION(CHOICE, struct middleware_config, type, .choices = middleware_choice, .required = true,
           .help = "The type of the middleware and its options."),
};
static const struct option_table middleware_table =
    OPTION_TABLE(struct middleware_config, middleware_options, .summary = "One change to a request or a response.");

static const struct option variable_options[] = {
    OPTION(CHOICE, struct variable_config, type, .choices = variable_choice, .required = true, .help = "What it is computed by."),
};
static const struct option_table variable_table =
    OPTION_TABLE(struct variable_config, variable_options, .summary = "A variable that is computed from others when it is asked for.");

static const struct option service_options[] = {
    OPTION(CHOICE, struct service_config, type, .choices = service_choice, .required = true,
           .help = "The kind of the service and its options."),
    OPTION(STRS, struct service_config, middlewares,
           .help = "Middlewares that its requests pass behind those of the router."),
    OPTION(BOOL, struct service_config, maintenance,
           .help = "It is under maintenance: it is not asked, and where there is no other its requests are answered with 503."),
};
static const struct option_table service_table =
    OPTION_TABLE(struct service_config, service_options, .summary = "Where requests go.");

static const struct option forwarding_timeouts_options[] = {
    OPTION_NAMED(DURATION, struct forwarding_timeouts, dial_timeout, "dialTimeout", .fallback = "30s",
                 .help = "Time for a connection to a server; 0: none."),
    OPTION_NAMED(DURATION, struct forwarding_timeouts, response_header_timeout, "responseHeaderTimeout", .fallback = "0s",
                 .help = "Time for a server to begin its answer once it has the whole request; 0: none."),
    OPTION_NAMED(DURATION, struct forwarding_timeouts, idle_conn_timeout, "idleConnTimeout", .fallback = "90s",
                 .help = "Time that an idle connection to a server is kept; 0: for ever."),
    OPTION_NAMED(DURATION, struct forwarding_timeouts, read_timeout, "readTimeout", .fallback = "0s",
                 .help = "Time between two arrivals of a response's body; 0: none."),
    OPTION_NAMED(DURATION, struct forwarding_timeouts, send_timeout, "sendTimeout", .fallback = "0s",
                 .help = "Time between two moments at which a server takes bytes of a request; 0: as readTimeout."),
    OPTION_NAMED(DURATION, struct forwarding_timeouts, tunnel_timeout, "tunnelTimeout", .fallback = "0s",
                 .help = "Silence that ends a connection that was upgraded (WebSocket); 0: none."),
    OPTION_NAMED(DURATION, struct forwarding_timeouts, max_conn_age, "maxConnAge", .fallback = "0s",
                 .help = "Age from which on a connection takes no further request; 0: any."),
    OPTION_NAMED(DURATION, struct forwarding_timeouts, read_idle_timeout, "readIdleTimeout", .fallback = "0s",
                 .help = "HTTP/2: silence after which a server is asked for a sign of life; 0: never."),
    OPTION_NAMED(DURATION, struct forwarding_timeouts, ping_timeout, "pingTimeout", .fallback = "15s",
                 .help = "HTTP/2: time for that sign of life."),
};
static const struct option_table forwarding_timeouts_table =
    OPTION_TABLE(struct forwarding_timeouts, forwarding_timeouts_options, .summary = "Time limits towards servers.");

static const char *check_local(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    struct addr ignored;
    return str_empty(text) || addr_parse_local(text, &ignored) ? NULL : "is not an address: use 10.0.0.1 or 10.0.0.1:1234";
}

static const struct option transport_options[] = {
    OPTION_NAMED(INT, struct transport_config, max_idle_conns_per_host, "maxIdleConnsPerHost", .fallback = "200", .min = -1,
                 .max = 1000000, .help = "Idle connections that are kept per server and worker, and others for half a second; "
                                   "-1: none."),
    OPTION_NAMED(INT, struct transport_config, max_requests_per_conn, "maxRequestsPerConn", .min = 0, .max = UINT32_MAX,
                 .help = "Requests that a connection of HTTP/1 takes; 0: any number."),
    OPTION_NAMED(STR, struct transport_config, local_address, "localAddress", .check = check_local,
                 .help = "The address that connections are made from: 10.0.0.1, or 10.0.0.1:1234."),
    OPTION(BOOL, struct transport_config, transparent,
           .help = "localAddress may be none of this host's (IP_TRANSPARENT): routes must lead answers back here."),
    OPTION_NAMED(BOOL, struct transport_config, bare_line_feeds, "bareLineFeeds",
                 .help = "Heads of responses over HTTP/1 may have lines that end with LF alone, as some old servers write them."),
    OPTION_NAMED(BOOL, struct transport_config, tcp_keep_alive, "tcpKeepAlive",
                 .help = "The system asks servers that are silent whether they are there (SO_KEEPALIVE)."),
    OPTION_NAMED(STR, struct transport_config, congestion_control, "congestionControl", .check = congestion_check,
                 .help = "TCP congestion control of the connections, as socket.congestionControl of an entrypoint."),
    OPTION_NAMED(SIZE, struct transport_config, max_response_header_bytes, "maxResponseHeaderBytes", .fallback = "1048576",
                 .min = 1024, .max = 16777216, .help = "Bytes that a response head may have; more gets 502."),
    OPTION_NAMED(STRUCT, struct transport_config, forwarding_timeouts, "forwardingTimeouts",
                 .table = &forwarding_timeouts_table, .help = "Time limits."),
    OPTION_NAMED(STR, struct transport_config, tls.server_name, "serverName",
                 .help = "The name that servers must prove (and SNI); none: the host of their URL."),
    OPTION_NAMED(BOOL, struct transport_config, tls.insecure_skip_verify, "insecureSkipVerify",
                 .help = "Take any certificate. Only where the network is trusted."),
    OPTION_NAMED(STRS, struct transport_config, tls.root_cas, "rootCAs",
                 .help = "Authorities of servers' certificates, PEM files or texts; none: the system's."),
    OPTION_NAMED(LIST, struct transport_config, tls.certificates, "certificates", .table = &tls_pair_table,
                 .help = "Certificates that are shown to servers that ask. The files of one may be named with variables: what they come "
                         "to is shown on connections of its own."),
    OPTION_NAMED(OBJECT, struct transport_config, certificate_cache, "certificateCache", .table = &tls_certificate_cache_table,
                 .help = "How files named with variables are kept; none: looked at for each request, and read when they changed."),
    OPTION_NAMED(STRS, struct transport_config, tls.cipher_suites, "cipherSuites", .check = policy_check_cipher,
                 .help = "Cipher suites of TLS 1.2 and before; none: a good choice."),
    OPTION_NAMED(ENUM, struct transport_config, tls.min_version, "minVersion", .names = tls_version_names,
                 .fallback = "VersionTLS12", .help = "The oldest version that is spoken."),
    OPTION_NAMED(ENUM, struct transport_config, tls.max_version, "maxVersion", .names = tls_version_names,
                 .fallback = "VersionTLS13", .help = "The newest version that is spoken."),
    OPTION_NAMED(STR, struct transport_config, tls.cipher_list, "cipherList",
                 .help = "Cipher suites of TLS 1.2 and before in OpenSSL's words, instead of cipherSuites."),
    OPTION_NAMED(STRS, struct transport_config, tls.crl_files, "crlFiles", .help = "Lists of revoked certificates: PEM files or texts."),
    OPTION_NAMED(INT, struct transport_config, tls.depth, "verifyDepth", .min = 0, .max = 100,
                 .help = "Certificates that may stand between a server's and its authority; 0: as the library says."),
    OPTION_NAMED(STRS, struct transport_config, tls.commands, "commands",
                 .help = "What OpenSSL's configuration files can say, each with its name and its value (SSL_CONF_cmd(3))."),
    OPTION_NAMED(BOOL, struct transport_config, tls.no_sni, "disableSNI", .help = "Servers are not told which name is expected."),
    OPTION_NAMED(BOOL, struct transport_config, tls.no_resumption, "disableResumption",
                 .help = "Every connection to a server makes a full handshake."),
    OPTION_NAMED(BOOL, struct transport_config, tls.no_alpn, "disableALPN",
                 .help = "With disableHTTP2: nothing is said of protocols in the handshake."),
    OPTION_NAMED(STRS, struct transport_config, tls.peer_cert_sans, "peerCertSANs",
                 .help = "One of these names, addresses or URIs must be in a server's certificate."),
    OPTION_NAMED(STRS, struct transport_config, tls.peer_cert_sans, "peerCertURI",
                 .removed = "use peerCertSANs"),
    OPTION_NAMED(BOOL, struct transport_config, disable_http2, "disableHTTP2",
                 .help = "Speak HTTP/1.1 alone to https servers."),
};
const struct option_table transport_table =
    OPTION_TABLE(struct transport_config, transport_options, .summary = "How connections to servers are made.");

static const struct option http_config_options[] = {
    OPTION(MAP, struct http_config, routers, .table = &router_table, .help = "Routers by name."),
    OPTION(MAP, struct http_config, middlewares, .table = &middleware_table, .help = "Middlewares by name."),
    OPTION(MAP, struct http_config, services, .table = &service_table, .help = "Services by name."),
    OPTION(MAP, struct http_config, sites, .table = &site_table, .help = "Sites by name: hosts whose paths are matched by locations."),
    OPTION(MAP, struct http_config, variables, .table = &variable_table,
           .help = "Variables by name, for \"${name}\" in templates: letters, digits and '_'."),
    OPTION_NAMED(MAP, struct http_config, media_types, "mediaTypes", .table = &media_types_table,
                 .help = "Sets of media types by name, for locations and files."),
    OPTION_NAMED(MAP, struct http_config, servers_transports, "serversTransports", .table = &transport_table,
                 .help = "Transports to servers by name."),
    OPTION_NAMED(MAP, struct http_config, access_logs, "accessLogs", .table = &access_log_output_table,
                 .help = "Logs of your own form by name, for routers to name; files alone may define them."),
    OPTION_NAMED(MAP, struct http_config, error_logs, "errorLogs", .table = &error_log_output_table,
                 .help = "Logs of messages about requests by name, for routers to name; files alone may define them."),
};
const struct option_table http_config_table =
    OPTION_TABLE(struct http_config, http_config_options, .summary = "HTTP routing: routers, middlewares, services.");
