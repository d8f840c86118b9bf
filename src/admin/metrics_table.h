/* Every family of metrics that there is, in one table: what it is called, what it means, and for whom it is made. All three
 * outputs (Prometheus' text and protobuf, OTLP) are written from it.
 *
 * Names, labels and buckets of the traefik_ ones are Traefik v3's, so that its dashboards and alerts go on working; Traefik
 * gives them the same names in OTLP. Ours begin with portico_. Those with dots are OpenTelemetry's semantic conventions.
 *
 * Labels have bounds: names are the configuration's, codes and methods a meter's kinds.
 *
 *   id, name, type, unit (UCUM), readers, labels, help */
#ifndef ADMIN_METRICS_TABLE_H
#define ADMIN_METRICS_TABLE_H

#define METRIC_LABELS_MAX 6

enum metric_type {
    METRIC_COUNTER,
    METRIC_GAUGE,
    METRIC_HISTOGRAM,
};

/* For whom a family is made. */
enum metric_reader { METRIC_FOR_PROMETHEUS = 1, METRIC_FOR_OTLP = 2, METRIC_FOR_ALL = 3 };

#define METRIC_LABELS(...) {__VA_ARGS__}

#define METRIC_TRAFFIC_TABLE(X, ID, thing, readers, ...) \
    X(ID##_REQUESTS, "traefik_" thing "_requests_total", COUNTER, "{request}", readers, \
      METRIC_LABELS("code", "method", "protocol", __VA_ARGS__), "Requests that ended, by " thing ".") \
    X(ID##_DURATION, "traefik_" thing "_request_duration_seconds", HISTOGRAM, "s", readers, \
      METRIC_LABELS("code", "method", "protocol", __VA_ARGS__), "Time from a request's first byte to its response's last, by " thing ".") \
    X(ID##_BYTES_IN, "traefik_" thing "_requests_bytes_total", COUNTER, "By", readers, \
      METRIC_LABELS("code", "method", "protocol", __VA_ARGS__), "Bytes of request bodies, by " thing ".") \
    X(ID##_BYTES_OUT, "traefik_" thing "_responses_bytes_total", COUNTER, "By", readers, \
      METRIC_LABELS("code", "method", "protocol", __VA_ARGS__), "Bytes of response bodies, by " thing ".") \
    X(ID##_TLS, "traefik_" thing "_requests_tls_total", COUNTER, "{request}", readers, \
      METRIC_LABELS("tls_version", "tls_cipher", __VA_ARGS__), "Requests that came by TLS, by " thing ".")

#define METRIC_TABLE(X) \
    X(CONFIG_RELOADS, "traefik_config_reloads_total", COUNTER, "{reload}", ALL, METRIC_LABELS(0), \
      "Configurations that were taken up, the first one included.") \
    X(CONFIG_LAST_SUCCESS, "traefik_config_last_reload_success", GAUGE, "s", ALL, METRIC_LABELS(0), \
      "Unix time at which the running configuration was taken up.") \
    X(OPEN_CONNECTIONS, "traefik_open_connections", GAUGE, "{connection}", ALL, METRIC_LABELS("entrypoint", "protocol"), \
      "Connections of clients that are open.") \
    X(CERTIFICATE_END, "traefik_tls_certs_not_after", GAUGE, "s", ALL, METRIC_LABELS("cn", "sans", "serial"), \
      "Unix time at which a certificate that is served ends.") \
    METRIC_TRAFFIC_TABLE(X, ENTRY, "entrypoint", ALL, "entrypoint") \
    METRIC_TRAFFIC_TABLE(X, ROUTER, "router", ALL, "router", "service") \
    METRIC_TRAFFIC_TABLE(X, SERVICE, "service", ALL, "service") \
    X(SERVICE_RETRIES, "traefik_service_retries_total", COUNTER, "{retry}", ALL, METRIC_LABELS("service"), \
      "Times that a request was tried again at a server.") \
    X(SERVER_UP, "traefik_service_server_up", GAUGE, "1", ALL, METRIC_LABELS("service", "url"), \
      "1 where a server may be picked, else 0.") \
    \
    X(PROCESS_CPU, "process_cpu_seconds_total", COUNTER, "s", ALL, METRIC_LABELS(0), "CPU time of the process, the system's included.") \
    X(PROCESS_RESIDENT, "process_resident_memory_bytes", GAUGE, "By", ALL, METRIC_LABELS(0), "Memory of the process that is resident.") \
    X(PROCESS_VIRTUAL, "process_virtual_memory_bytes", GAUGE, "By", ALL, METRIC_LABELS(0), "Address space of the process.") \
    X(PROCESS_OPEN_FDS, "process_open_fds", GAUGE, "{fd}", ALL, METRIC_LABELS(0), "Open file descriptors.") \
    X(PROCESS_MAX_FDS, "process_max_fds", GAUGE, "{fd}", ALL, METRIC_LABELS(0), "File descriptors that may be open.") \
    X(PROCESS_START, "process_start_time_seconds", GAUGE, "s", ALL, METRIC_LABELS(0), "Unix time at which the process began.") \
    \
    X(BUILD_INFO, "portico_build_info", GAUGE, "1", ALL, METRIC_LABELS("version"), "1; the label says what runs.") \
    X(CONFIG_GENERATION, "portico_config_generation", GAUGE, "1", ALL, METRIC_LABELS(0), "Number of the running configuration.") \
    X(CONFIG_FAILURES, "portico_config_reload_failures_total", COUNTER, "{reload}", ALL, METRIC_LABELS(0), \
      "Configurations that were refused.") \
    X(CONFIG_GOOD, "portico_config_last_reload_successful", GAUGE, "1", ALL, METRIC_LABELS(0), \
      "1 where the last configuration that was read is the one that runs, else 0.") \
    X(LATENCY, "portico_request_duration_seconds", HISTOGRAM, "s", ALL, METRIC_LABELS("kind", "name"), \
      "Time from a request's first byte to its response's last.") \
    X(FAILURES, "portico_requests_failed_total", COUNTER, "{request}", ALL, METRIC_LABELS("reason", "kind", "name"), \
      "Requests that did not go as they should, by reason.") \
    X(SERVER_STATE, "portico_server_state", GAUGE, "1", ALL, METRIC_LABELS("service", "url", "state"), \
      "1; the label says what state a server is in.") \
    X(SERVER_ACTIVE, "portico_server_requests_active", GAUGE, "{request}", ALL, METRIC_LABELS("service", "url"), \
      "Requests under way at a server.") \
    X(SERVER_REQUESTS, "portico_server_requests_total", COUNTER, "{request}", ALL, METRIC_LABELS("service", "url"), \
      "Requests that were begun at a server.") \
    X(SERVER_RESPONSE, "portico_server_response_seconds", GAUGE, "s", ALL, METRIC_LABELS("service", "url"), \
      "Weighted average of the time to a server's first byte.") \
    X(HELD, "portico_service_held_requests", GAUGE, "{request}", ALL, METRIC_LABELS("service"), \
      "Requests that wait for a server of the service to become ready.") \
    X(HELD_TOTAL, "portico_service_held_requests_total", COUNTER, "{request}", ALL, METRIC_LABELS("service", "result"), \
      "Requests that had to wait for a server of the service, by what became of them.") \
    X(WORKER_TURN, "portico_worker_longest_turn_seconds", GAUGE, "s", ALL, METRIC_LABELS("worker"), \
      "Longest stretch of work between two looks at the sockets since this was last asked: how late a request may have been heard.") \
    X(WORKER_BUFFERS, "portico_worker_buffer_bytes", GAUGE, "By", ALL, METRIC_LABELS("worker"), "Buffers that are handed out.") \
    X(WORKER_EXCHANGES, "portico_worker_exchanges", GAUGE, "{request}", ALL, METRIC_LABELS("worker"), "Requests under way.") \
    X(WORKER_CONNECTIONS, "portico_worker_connections", GAUGE, "{connection}", ALL, METRIC_LABELS("worker"), \
      "Connections of clients that are open.") \
    X(WORKER_IDLE, "portico_worker_idle_upstream_connections", GAUGE, "{connection}", ALL, METRIC_LABELS("worker"), \
      "Connections to servers that wait for their next request.") \
    X(WORKER_PIPES, "portico_worker_idle_pipes", GAUGE, "{pipe}", ALL, METRIC_LABELS("worker"), \
      "Pipes that are kept for passing bytes on.") \
    X(ACCEPTED, "portico_connections_accepted_total", COUNTER, "{connection}", ALL, METRIC_LABELS("entrypoint"), \
      "Connections of clients since the entrypoint opened.") \
    X(SENT_AWAY, "portico_connections_sent_away_total", COUNTER, "{connection}", ALL, METRIC_LABELS("reason"), \
      "Connections that were broken off before they asked for anything, by reason.") \
    X(HANDSHAKES, "portico_tls_handshakes_total", COUNTER, "{handshake}", ALL, METRIC_LABELS("result"), \
      "TLS handshakes with clients.") \
    X(ACME_STATE, "portico_acme_certificate_state", GAUGE, "1", ALL, METRIC_LABELS("name", "sans", "resolver", "state"), \
      "1; the label says what state a certificate is in that comes by itself.") \
    X(ACME_FAILURES, "portico_acme_certificate_failures", GAUGE, "{failure}", ALL, METRIC_LABELS("name", "sans", "resolver"), \
      "Orders of a certificate that failed since the last one that did not.") \
    X(ACME_END, "portico_acme_certificate_not_after_seconds", GAUGE, "s", ALL, METRIC_LABELS("name", "sans", "resolver"), \
      "Unix time at which a certificate ends that came by itself.") \
    X(ACME_RENEWAL, "portico_acme_certificate_renewal_time_seconds", GAUGE, "s", ALL, METRIC_LABELS("name", "sans", "resolver"), \
      "Unix time at which a certificate is going to be renewed.") \
    X(LIMIT_REFUSED, "portico_limit_refused_total", COUNTER, "{request}", ALL, METRIC_LABELS("middleware", "type"), \
      "Requests that a limit refused.") \
    X(LIMIT_ALLOWED, "portico_limit_allowed_total", COUNTER, "{request}", ALL, METRIC_LABELS("middleware", "type"), \
      "Requests that a limit let pass.") \
    X(LIMIT_DELAYED, "portico_limit_delayed_total", COUNTER, "{request}", ALL, METRIC_LABELS("middleware", "type"), \
      "Requests that a limit made wait.") \
    X(LIMIT_ACTIVE, "portico_limit_active", GAUGE, "{request}", ALL, METRIC_LABELS("middleware", "type"), \
      "Requests under way that a limit counts.") \
    X(LIMIT_BREAKERS, "portico_limit_breakers", GAUGE, "1", ALL, METRIC_LABELS("middleware", "state"), \
      "Circuit breakers of a middleware, one for each router that uses it, by state.") \
    X(LOG_LOST, "portico_log_lines_lost_total", COUNTER, "{line}", ALL, METRIC_LABELS(0), \
      "Lines of the access log that could not be written.") \
    X(SPANS_DROPPED, "portico_trace_spans_dropped_total", COUNTER, "{span}", ALL, METRIC_LABELS(0), \
      "Spans that were not exported: the queue was full, or the collector refused them.") \
    \
    X(HTTP_SERVER, "http.server.request.duration", HISTOGRAM, "s", OTLP, \
      METRIC_LABELS("http.request.method", "http.response.status_code", "url.scheme", "portico.entrypoint"), \
      "Duration of HTTP server requests.") \
    X(HTTP_CLIENT, "http.client.request.duration", HISTOGRAM, "s", OTLP, \
      METRIC_LABELS("http.request.method", "http.response.status_code", "url.scheme", "server.address", "server.port", \
                    "portico.service"), \
      "Duration of HTTP client requests.")

enum metric {
#define X(id, ...) METRIC_##id,
    METRIC_TABLE(X)
#undef X
    METRIC_COUNT
};

struct metric_family {
    const char *name;
    enum metric_type type;
    enum metric_reader readers;
    const char *unit;
    const char *labels[METRIC_LABELS_MAX];     /* NULL behind the last */
    const char *help;
};

extern const struct metric_family metric_families[METRIC_COUNT];

#endif
