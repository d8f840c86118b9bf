#include "model/model.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "http/status_ranges.h"

static const struct option_name level_names[] = {
    {"TRACE", LOG_TRACE}, {"DEBUG", LOG_DEBUG}, {"INFO", LOG_INFO}, {"WARN", LOG_WARN},
    {"ERROR", LOG_ERROR}, {"FATAL", LOG_FATAL}, {"PANIC", LOG_PANIC}, {NULL, 0}};
static const struct option_name log_format_names[] = {{"common", LOG_TEXT}, {"text", LOG_TEXT}, {"json", LOG_JSON},
                                                      {"nginx", LOG_NGINX}, {NULL, 0}};

static const struct option log_options[] = {
    OPTION(ENUM, struct log_config, level, .names = level_names, .fallback = "INFO",
           .help = "The least grave messages that are written."),
    OPTION(ENUM, struct log_config, format, .names = log_format_names, .fallback = "common",
           .help = "Lines for people (common), JSON, or as nginx's error log."),
    OPTION_NAMED(STR, struct log_config, file_path, "filePath",
                 .help = "The file to write to (opened again on SIGUSR1); empty: standard error."),
    OPTION_NAMED(BOOL, struct log_config, no_color, "noColor", .help = "No colour even on a terminal."),
    OPTION_NAMED(STRS, struct log_config, also_to, "alsoTo",
                 .help = "Logs of http.errorLogs that its lines go to as well, from their own levels on."),
};
static const struct option_table log_table =
    OPTION_TABLE(struct log_config, log_options, .summary = "The application log.");

static const struct option_name access_format_names[] = {{"common", ACCESS_COMMON}, {"genericCLF", ACCESS_GENERIC_CLF},
                                                         {"combined", ACCESS_COMBINED}, {"json", ACCESS_JSON}, {NULL, 0}};
static const struct option_name mode_names[] = {
    {"keep", FIELD_MODE_KEEP}, {"drop", FIELD_MODE_DROP}, {"redact", FIELD_MODE_REDACT}, {NULL, 0}};

static const char *check_mode(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return str_equal_nocase(text, S("keep")) || str_equal_nocase(text, S("drop")) || str_equal_nocase(text, S("redact"))
               ? NULL
               : "is none of keep, drop, redact";
}

static const struct option filters_options[] = {
    OPTION_NAMED(STRS, struct access_log_filters, status_codes, "statusCodes", .check = status_range_check,
                 .help = "Only responses with these codes or ranges (\"500-599\")."),
    OPTION_NAMED(BOOL, struct access_log_filters, retry_attempts, "retryAttempts",
                 .help = "Also requests that were tried more than once."),
    OPTION_NAMED(DURATION, struct access_log_filters, min_duration, "minDuration",
                 .help = "Also requests that took longer."),
};
static const struct option_table filters_table =
    OPTION_TABLE(struct access_log_filters, filters_options, .summary = "Which requests are logged; any filter that fits suffices.");

static const struct option headers_options[] = {
    OPTION_NAMED(ENUM, struct access_log_headers, default_mode, "defaultMode", .names = mode_names, .fallback = "drop",
                 .help = "What is done with those that are not named."),
    OPTION(STRMAP, struct access_log_headers, names, .check = check_mode, .help = "keep, drop or redact by name."),
};
static const struct option_table headers_table =
    OPTION_TABLE(struct access_log_headers, headers_options, .summary = "Header fields in the log.");
static const struct option query_options[] = {
    OPTION_NAMED(ENUM, struct access_log_headers, default_mode, "defaultMode", .names = mode_names, .fallback = "keep",
                 .help = "What is done with those that are not named."),
    OPTION(STRMAP, struct access_log_headers, names, .check = check_mode, .help = "keep, drop or redact by name."),
};
static const struct option_table query_table =
    OPTION_TABLE(struct access_log_headers, query_options, .summary = "Query parameters in the log.");

static const struct option fields_options[] = {
    OPTION_NAMED(ENUM, struct access_log_fields, default_mode, "defaultMode", .names = mode_names, .fallback = "keep",
                 .help = "What is done with fields that are not named."),
    OPTION(STRMAP, struct access_log_fields, names, .check = check_mode, .help = "keep or drop by field name."),
    OPTION(STRUCT, struct access_log_fields, headers, .table = &headers_table, .help = "Header fields."),
    OPTION_NAMED(STRUCT, struct access_log_fields, query_parameters, "queryParameters", .table = &query_table,
                 .help = "Parameters of the query."),
};
static const struct option_table fields_table =
    OPTION_TABLE(struct access_log_fields, fields_options, .summary = "What a line holds (JSON).");

static const struct option access_log_options[] = {
    OPTION_NAMED(STR, struct access_log_config, file_path, "filePath",
                 .help = "The file to write to (opened again on SIGUSR1); empty: standard output."),
    OPTION(ENUM, struct access_log_config, format, .names = access_format_names, .fallback = "common",
           .help = "common (Traefik's), genericCLF, combined, or json."),
    OPTION_NAMED(INT, struct access_log_config, buffering_size, "bufferingSize", .min = 0, .max = 1000000,
                 .help = "Lines that are held back to be written together; 0: written each turn of the loop."),
    OPTION_NAMED(BOOL, struct access_log_config, add_internals, "addInternals", .help = "Log internal services too."),
    OPTION(STRUCT, struct access_log_config, filters, .table = &filters_table, .help = "Which requests are logged."),
    OPTION(STRUCT, struct access_log_config, fields, .table = &fields_table, .help = "What a line holds."),
};
static const struct option_table access_log_table =
    OPTION_TABLE(struct access_log_config, access_log_options, .summary = "A line for each request.");

static const struct option ping_options[] = {
    OPTION_NAMED(STR, struct ping_config, entry_point, "entryPoint", .fallback = "traefik",
                 .help = "The entrypoint that answers /ping."),
    OPTION_NAMED(BOOL, struct ping_config, manual_routing, "manualRouting",
                 .help = "Make no router: ping@internal is routed by hand."),
    OPTION_NAMED(INT, struct ping_config, terminating_status_code, "terminatingStatusCode", .fallback = "503", .min = 100,
                 .max = 599, .help = "What /ping answers while the process stops."),
};
static const struct option_table ping_table =
    OPTION_TABLE(struct ping_config, ping_options, .summary = "/ping for whoever watches the process.");

static const struct option file_provider_options[] = {
    OPTION(STR, struct file_provider_config, filename, .help = "The dynamic configuration's file."),
    OPTION(STR, struct file_provider_config, directory, .help = "A directory of such files (.yaml, .yml, .json)."),
    OPTION(BOOL, struct file_provider_config, watch, .fallback = "true", .help = "Take up changes as they happen."),
};
static void validate_file_provider(void *value, const struct node *node, struct diag *diag)
{
    struct file_provider_config *file = value;
    if (str_empty(file->filename) == str_empty(file->directory))
        diag_error(diag, node_span(node), "the file provider takes either 'filename' or 'directory'");
}
static const struct option_table file_provider_table =
    OPTION_TABLE(struct file_provider_config, file_provider_options, .validate = validate_file_provider,
                 .summary = "Dynamic configuration in files.");

static const struct option nginx_provider_options[] = {
    OPTION(STR, struct nginx_provider_config, filename, .required = true, .help = "The nginx.conf."),
    OPTION(STR, struct nginx_provider_config, prefix, .help = "Where its relative paths begin; empty: /usr/share/nginx."),
    OPTION(BOOL, struct nginx_provider_config, watch, .fallback = "true", .help = "Take up changes as they happen."),
};
static const struct option_table nginx_provider_table =
    OPTION_TABLE(struct nginx_provider_config, nginx_provider_options, .summary = "Dynamic configuration in an nginx.conf.");

static const struct option providers_options[] = {
    OPTION_NAMED(DURATION, struct providers_config, throttle_duration, "providersThrottleDuration", .fallback = "2s",
                 .help = "Least time between two changes that providers cause."),
    OPTION(OBJECT, struct providers_config, file, .table = &file_provider_table, .help = "Dynamic configuration in files."),
    OPTION(OBJECT, struct providers_config, nginx, .table = &nginx_provider_table, .help = "Dynamic configuration in an nginx.conf."),
    OPTION(OBJECT, struct providers_config, docker, .table = &docker_table, .help = "Containers that announce themselves by labels."),
    OPTION(OBJECT, struct providers_config, swarm, .table = &swarm_table, .help = "Swarm services that announce themselves by labels."),
};
static const struct option_table providers_table =
    OPTION_TABLE(struct providers_config, providers_options, .summary = "Where dynamic configuration comes from.");

static const struct option_name syntax_names[] = {{"v3", RULE_V3}, {"v2", RULE_V2}, {NULL, 0}};
static const struct option core_options[] = {
    OPTION_NAMED(ENUM, struct core_config, default_rule_syntax, "defaultRuleSyntax", .names = syntax_names, .fallback = "v3",
                 .help = "The rule language of routers that name none."),
};
static const struct option_table core_table = OPTION_TABLE(struct core_config, core_options, .summary = "Core behaviour.");

static const struct option global_options[] = {
    OPTION_NAMED(BOOL, struct global_config, unused, "checkNewVersion", .accepted = "Portico never asks for new versions"),
    OPTION_NAMED(BOOL, struct global_config, unused, "sendAnonymousUsage", .accepted = "Portico never tells anybody of its use"),
};
static const struct option_table global_table =
    OPTION_TABLE(struct global_config, global_options, .summary = "What Traefik tells its makers.");

static const struct option config_options[] = {
    OPTION(STR, struct config, user,
           .help = "Who the process goes on as (name or uid, :group or :gid) once it has opened what only root can; for one that root starts."),
    OPTION(INT, struct config, workers, .min = 0, .max = 1024,
           .help = "Worker threads; 0: as many as the CPUs that affinity and cgroup allow."),
    OPTION(STRUCT, struct config, process, .table = &process_table, .help = "How the process lives beside others."),
    OPTION_NAMED(SIZE, struct config, memory_limit, "memoryLimit",
                 .help = "Bytes of buffers that a worker may hand out; beyond, new requests get 503. 0: no limit."),
    OPTION_NAMED(MAP, struct config, entry_points, "entryPoints", .table = &entrypoint_table,
                 .help = "Addresses to listen on, by name."),
    OPTION(STRUCT, struct config, providers, .table = &providers_table, .help = "Where dynamic configuration comes from."),
    OPTION(STRUCT, struct config, log, .table = &log_table, .help = "The application log."),
    OPTION_NAMED(OBJECT, struct config, access_log, "accessLog", .table = &access_log_table, .help = "The access log."),
    OPTION(OBJECT, struct config, ping, .table = &ping_table, .help = "/ping for whoever watches the process."),
    OPTION(OBJECT, struct config, api, .table = &api_table, .help = "The API and the dashboard."),
    OPTION(OBJECT, struct config, metrics, .table = &metrics_table, .help = "Numbers for monitoring."),
    OPTION(OBJECT, struct config, tracing, .table = &tracing_table, .help = "Traces (W3C Trace Context, OTLP)."),
    OPTION_NAMED(ENUM, struct config, error_pages, "errorPages", .names = error_pages_names, .fallback = "simple",
                 .help = "Error pages of our own for browsers: simple; detailed (why, and what to do, for clients on this machine "
                         "alone); off (plain text); classic (a few lines of HTML for everybody, in nginx's words)."),
    OPTION(STRUCT, struct config, core, .table = &core_table, .help = "Core behaviour."),
    OPTION(STRUCT, struct config, global, .table = &global_table, .help = "What Traefik tells its makers; Portico tells nobody."),
    OPTION_NAMED(STRUCT, struct config, servers_transport, "serversTransport", .table = &transport_table,
                 .help = "How connections to servers are made where a service names no transport."),
    OPTION_NAMED(MAP, struct config, certificates_resolvers, "certificatesResolvers", .table = &resolver_table,
                 .help = "Where certificates come from by themselves."),
    OPTION_NAMED(OBJECT, struct config, automatic_https, "automaticHTTPS", .table = &automatic_https_table,
                 .help = "HTTPS for every router that names a host, without anything further."),
    OPTION(STRUCT, struct config, tls, .table = &tls_config_table, .help = "TLS: certificates and options."),
    OPTION(STRUCT, struct config, http, .table = &http_config_table, .help = "HTTP routing."),
};
const struct option_table config_table =
    OPTION_TABLE(struct config, config_options, .summary = "Portico's configuration.");

static const struct option dynamic_options[] = {
    OPTION(STRUCT, struct dynamic_config, tls, .table = &tls_config_table, .help = "TLS: certificates and options."),
    OPTION(STRUCT, struct dynamic_config, http, .table = &http_config_table, .help = "HTTP routing."),
};
const struct option_table dynamic_table =
    OPTION_TABLE(struct dynamic_config, dynamic_options, .summary = "Dynamic configuration.");

struct model *model_new(void)
{
    struct model *model = memory_zalloc(sizeof(*model));
    arena_init(&model->arena, ARENA_UNLIMITED);
    return model;
}

void model_free(struct model *model)
{
    if (model == NULL)
        return;
    arena_release(&model->arena);
    free(model);
}

static void add_part(struct model *model, struct model_part part)
{
    struct model_part *parts = arena_array(&model->arena, struct model_part, model->part_count + 1);
    if (model->part_count != 0)
        memcpy(parts, model->parts, model->part_count * sizeof(*parts));
    part.provider = arena_str(&model->arena, part.provider);
    parts[model->part_count++] = part;
    model->parts = parts;
}

void model_add_part(struct model *model, struct str provider, const struct http_config *http, const struct tls_config *tls)
{
    add_part(model, (struct model_part){.provider = provider, .http = http, .tls = tls});
}

void model_add_lenient_part(struct model *model, struct str provider, const struct http_config *http, const struct tls_config *tls)
{
    add_part(model, (struct model_part){.provider = provider, .http = http, .tls = tls, .lenient = true});
}

const char *remark_kind_text(enum remark_kind kind)
{
    static const char *const texts[] = {[REMARK_ROUTER] = "router",
                                        [REMARK_MIDDLEWARE] = "middleware",
                                        [REMARK_SERVICE] = "service",
                                        [REMARK_TRANSPORT] = "serversTransport",
                                        [REMARK_TLS_OPTIONS] = "tlsOptions",
                                        [REMARK_SITE] = "site",
                                        [REMARK_VARIABLE] = "variable"};
    return texts[kind];
}

/* Files are few: no capacity is kept. */
void model_keep_text(struct model *model, struct str path, struct str content)
{
    struct model_text *texts = arena_array(&model->arena, struct model_text, model->text_count + 1);
    if (model->text_count != 0)
        memcpy(texts, model->texts, model->text_count * sizeof(*texts));
    texts[model->text_count++] = (struct model_text){arena_str(&model->arena, path), content};
    model->texts = texts;
}

const struct model_text *model_text(const struct model *model, struct str path)
{
    for (size_t i = 0; i < model->text_count; i++)
        if (str_equal(model->texts[i].path, path))
            return &model->texts[i];
    return NULL;
}

static bool was_said(const struct model *model, const struct remark *remark)
{
    for (size_t i = model->remark_count; i > 0; i--) {
        const struct remark *other = &model->remarks[i - 1];
        if (other->kind != remark->kind || !str_equal(other->name, remark->name))
            return false;      /* what is said of one object is said at a stretch */
        if (str_equal(other->reason, remark->reason))
            return true;
    }
    return false;
}

void model_add_remark(struct model *model, const struct remark *remark)
{
    if (was_said(model, remark))
        return;
    if (model->remark_count == model->remark_capacity) {
        size_t capacity = model->remark_capacity != 0 ? 2 * model->remark_capacity : 8;
        struct remark *remarks = arena_array(&model->arena, struct remark, capacity);
        if (model->remark_count != 0)
            memcpy(remarks, model->remarks, model->remark_count * sizeof(*remarks));
        model->remarks = remarks;
        model->remark_capacity = capacity;
    }
    struct remark *copy = &model->remarks[model->remark_count++];
    *copy = *remark;
    copy->provider = arena_str(&model->arena, remark->provider);
    copy->name = arena_str(&model->arena, remark->name);
    copy->reason = arena_str(&model->arena, remark->reason);
    copy->place = arena_str(&model->arena, remark->place);
}
