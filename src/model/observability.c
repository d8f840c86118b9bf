#include "model/observability.h"

static const char *check_seconds(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    size_t digits = 0, points = 0;
    for (size_t i = 0; i < text.len; i++) {
        points += text.data[i] == '.';
        digits += text.data[i] >= '0' && text.data[i] <= '9';
    }
    return digits != 0 && points <= 1 && digits + points == text.len && digits <= 12 ? NULL : "is no number of seconds";
}

static const char *check_base_path(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return str_starts(text, S("/")) ? NULL : "does not begin with '/'";
}

static const char *check_endpoint_url(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    if (str_starts_nocase(text, S("https://")) || str_starts_nocase(text, S("http://")))
        return NULL;
    if (str_find(text, S("://")) >= 0)
        return "is not an http or https URL";
    return arena_printf(arena, "has no scheme: write http://%.*s, or https:// where the collector speaks TLS", STR_ARGS(text)).data;
}

static const struct option api_options[] = {
    OPTION(BOOL, struct api_config, insecure,
           .help = "Serve API and dashboard on the entrypoint 'traefik' (:8080 where there is none) to everybody who gets there."),
    OPTION(BOOL, struct api_config, dashboard, .fallback = "true", .help = "Serve the dashboard too."),
    OPTION(BOOL, struct api_config, debug, .help = "Serve /debug/vars too."),
    OPTION_NAMED(STR, struct api_config, base_path, "basePath", .fallback = "/", .check = check_base_path,
                 .help = "What stands in front of /api and /dashboard, where the router does not take it off."),
    OPTION(STRS, struct api_config, writers,
           .help = "Users, let in by an authenticating middleware, who may drain, weigh, renew and reload; '*': everybody who gets "
                   "there. None: the API only reads."),
    OPTION_NAMED(BOOL, struct api_config, debug, "disableDashboardAd", .accepted = "the dashboard shows no advertisements"),
};
const struct option_table api_table = OPTION_TABLE(struct api_config, api_options, .summary = "The API and the dashboard.");

static const char *check_host_port(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return str_find_char(text, '/', 0) < 0 ? NULL : "is not a host and a port; 'insecure' says whether TLS is spoken";
}

static const struct option_name encoding_names[] = {{"protobuf", OTLP_PROTOBUF}, {"json", OTLP_JSON}, {NULL, 0}};

static const struct option otlp_http_options[] = {
    OPTION(STR, struct otlp_http, endpoint, .check = check_endpoint_url,
           .help = "The collector's URL; the default is https://localhost:4318 with /v1/traces or /v1/metrics."),
    OPTION(STRMAP, struct otlp_http, headers, .secret = true, .help = "Header fields of each request to it."),
    OPTION(ENUM, struct otlp_http, encoding, .names = encoding_names, .fallback = "protobuf", .help = "protobuf or json."),
    OPTION(BOOL, struct otlp_http, compress, .help = "Send it gzipped."),
    OPTION(OBJECT, struct otlp_http, tls, .table = &peer_tls_table, .help = "How the collector is verified."),
};
static const struct option_table otlp_http_table =
    OPTION_TABLE(struct otlp_http, otlp_http_options, .summary = "OTLP over HTTP.");

static const struct option otlp_grpc_options[] = {
    OPTION(STR, struct otlp_grpc, endpoint, .fallback = "localhost:4317", .check = check_host_port,
           .help = "The collector's host and port."),
    OPTION(BOOL, struct otlp_grpc, insecure, .help = "Without TLS."),
    OPTION(STRMAP, struct otlp_grpc, headers, .secret = true, .help = "Metadata of each call."),
    OPTION(OBJECT, struct otlp_grpc, tls, .table = &peer_tls_table, .help = "How the collector is verified."),
};
static const struct option_table otlp_grpc_table =
    OPTION_TABLE(struct otlp_grpc, otlp_grpc_options, .summary = "OTLP over gRPC.");

static const struct option prometheus_options[] = {
    OPTION(STRS, struct prometheus_config, buckets, .fallback = "0.1,0.3,1.2,5.0", .check = check_seconds,
           .help = "Ends of the buckets of Traefik's histograms, in seconds, ascending."),
    OPTION_NAMED(BOOL, struct prometheus_config, add_entry_points_labels, "addEntryPointsLabels", .fallback = "true",
                 .help = "Metrics of each entrypoint."),
    OPTION_NAMED(BOOL, struct prometheus_config, add_routers_labels, "addRoutersLabels", .help = "Metrics of each router."),
    OPTION_NAMED(BOOL, struct prometheus_config, add_services_labels, "addServicesLabels", .fallback = "true",
                 .help = "Metrics of each service."),
    OPTION_NAMED(STR, struct prometheus_config, entry_point, "entryPoint", .fallback = "traefik",
                 .help = "The entrypoint that answers /metrics."),
    OPTION_NAMED(BOOL, struct prometheus_config, manual_routing, "manualRouting",
                 .help = "Make no router: prometheus@internal is routed by hand."),
    OPTION_NAMED(STRMAP, struct prometheus_config, header_labels, "headerLabels",
                 .accepted = "labels that clients choose have no bound"),
};
static const struct option_table prometheus_table =
    OPTION_TABLE(struct prometheus_config, prometheus_options, .summary = "Metrics for Prometheus, which fetches them.");

static const struct option otlp_metrics_options[] = {
    OPTION_NAMED(BOOL, struct otlp_metrics, add_entry_points_labels, "addEntryPointsLabels", .fallback = "true",
                 .help = "Metrics of each entrypoint."),
    OPTION_NAMED(BOOL, struct otlp_metrics, add_routers_labels, "addRoutersLabels", .help = "Metrics of each router."),
    OPTION_NAMED(BOOL, struct otlp_metrics, add_services_labels, "addServicesLabels", .fallback = "true",
                 .help = "Metrics of each service."),
    OPTION_NAMED(STRS, struct otlp_metrics, explicit_boundaries, "explicitBoundaries", .check = check_seconds,
                 .fallback = "0.005,0.01,0.025,0.05,0.075,0.1,0.25,0.5,0.75,1,2.5,5,7.5,10",
                 .help = "Ends of the histograms' buckets, in seconds, ascending."),
    OPTION_NAMED(DURATION, struct otlp_metrics, push_interval, "pushInterval", .fallback = "10s", .min = 1000000000, .max = INT64_MAX,
                 .help = "Time between two exports."),
    OPTION_NAMED(STR, struct otlp_metrics, service_name, "serviceName", .fallback = "portico", .help = "The resource's service.name."),
    OPTION_NAMED(STRMAP, struct otlp_metrics, resource_attributes, "resourceAttributes", .help = "More of the resource's attributes."),
    OPTION(OBJECT, struct otlp_metrics, http, .table = &otlp_http_table, .help = "Over HTTP; what holds where neither is said."),
    OPTION(OBJECT, struct otlp_metrics, grpc, .table = &otlp_grpc_table, .help = "Over gRPC."),
};
static const struct option_table otlp_metrics_table =
    OPTION_TABLE(struct otlp_metrics, otlp_metrics_options, .summary = "Metrics pushed to an OpenTelemetry collector.");

static const struct option metrics_options[] = {
    OPTION_NAMED(BOOL, struct metrics_config, add_internals, "addInternals", .help = "Count requests to internal services too."),
    OPTION(OBJECT, struct metrics_config, prometheus, .table = &prometheus_table, .help = "For Prometheus."),
    OPTION(OBJECT, struct metrics_config, otlp, .table = &otlp_metrics_table, .help = "For an OpenTelemetry collector."),
};
const struct option_table metrics_table = OPTION_TABLE(struct metrics_config, metrics_options, .summary = "Numbers for monitoring.");

static const struct option otlp_traces_options[] = {
    OPTION(OBJECT, struct otlp_traces, http, .table = &otlp_http_table, .help = "Over HTTP; what holds where neither is said."),
    OPTION(OBJECT, struct otlp_traces, grpc, .table = &otlp_grpc_table, .help = "Over gRPC."),
};
static const struct option_table otlp_traces_table =
    OPTION_TABLE(struct otlp_traces, otlp_traces_options, .summary = "Spans sent to an OpenTelemetry collector.");

static const struct option tracing_options[] = {
    OPTION_NAMED(STR, struct tracing_config, service_name, "serviceName", .fallback = "portico", .help = "The resource's service.name."),
    OPTION_NAMED(STRMAP, struct tracing_config, resource_attributes, "resourceAttributes", .help = "More of the resource's attributes."),
    OPTION_NAMED(STRS, struct tracing_config, captured_request_headers, "capturedRequestHeaders",
                 .help = "Header fields of requests that become attributes."),
    OPTION_NAMED(STRS, struct tracing_config, captured_response_headers, "capturedResponseHeaders",
                 .help = "Header fields of responses that become attributes."),
    OPTION_NAMED(STRS, struct tracing_config, safe_query_params, "safeQueryParams",
                 .help = "Parameters of the query that are shown; all others are REDACTED."),
    OPTION_NAMED(NUMBER, struct tracing_config, sample_rate, "sampleRate", .fallback = "1.0", .min = 0, .max = 1,
                 .help = "The part of requests that is traced, 0 to 1, of those that bring no decision along."),
    OPTION_NAMED(BOOL, struct tracing_config, add_internals, "addInternals", .help = "Trace requests to internal services too."),
    OPTION_NAMED(SIZE, struct tracing_config, queue_limit, "queueLimit", .fallback = "16MiB", .min = 65536, .max = INT64_C(1) << 32,
                 .help = "Spans that wait for export; what comes beyond is dropped and counted."),
    OPTION(OBJECT, struct tracing_config, otlp, .table = &otlp_traces_table, .help = "Where spans are sent."),
};
const struct option_table tracing_table = OPTION_TABLE(struct tracing_config, tracing_options, .summary = "Traces (W3C Trace Context, OTLP).");

const struct option_name trace_verbosity_names[] = {{"minimal", TRACE_MINIMAL}, {"detailed", TRACE_DETAILED}, {NULL, 0}};
const struct option_name error_pages_names[] = {
    {"simple", ERROR_PAGES_SIMPLE}, {"detailed", ERROR_PAGES_DETAILED}, {"off", ERROR_PAGES_OFF},
    {"classic", ERROR_PAGES_CLASSIC}, {NULL, 0}};
const struct option_name own_error_pages_names[] = {
    {"inherit", ERROR_PAGES_INHERIT}, {"simple", ERROR_PAGES_SIMPLE}, {"detailed", ERROR_PAGES_DETAILED},
    {"off", ERROR_PAGES_OFF}, {"classic", ERROR_PAGES_CLASSIC}, {NULL, 0}};
