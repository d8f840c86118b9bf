#include "sample.h"

#include "base/time.h"

static const struct option headers_options[] = {
    OPTION(STRMAP, struct sample_headers, add, .help = "Fields to add."),
    OPTION(BOOL, struct sample_headers, strict, .fallback = "true", .help = "Refuse bad names."),
};
static const struct option_table headers_table =
    OPTION_TABLE(struct sample_headers, headers_options, .summary = "Changes header fields.");

static const struct option strip_options[] = {
    OPTION(STRS, struct sample_strip, prefixes, .required = true, .help = "Prefixes to remove."),
};
static const struct option_table strip_table =
    OPTION_TABLE(struct sample_strip, strip_options, .summary = "Removes a prefix.");

static const struct choice_type *middleware_types(size_t index)
{
    static const struct choice_type types[] = {
        {.name = "stripPrefix", .summary = "Removes a prefix.", .table = &strip_table},
        {.name = "headers", .alias = "header", .summary = "Changes fields.", .table = &headers_table},
    };
    return index < sizeof(types) / sizeof(types[0]) ? &types[index] : NULL;
}

static const struct option middleware_options[] = {
    OPTION(CHOICE, struct sample_middleware, type, .choices = middleware_types, .required = true,
           .help = "The type."),
};
static const struct option_table middleware_table =
    OPTION_TABLE(struct sample_middleware, middleware_options, .summary = "One change.");

static const struct option server_options[] = {
    OPTION(STR, struct sample_server, url, .required = true, .help = "Where it is."),
    OPTION(INT, struct sample_server, weight, .fallback = "1", .min = 0, .max = 1000,
           .help = "Its share."),
};
static const struct option_table server_table =
    OPTION_TABLE(struct sample_server, server_options, .summary = "A server.");

static const char *check_rule(struct str text, struct arena *arena, size_t *ret_offset,
                              size_t *ret_length)
{
    ptrdiff_t at = str_find(text, S("Hots"));
    if (at < 0)
        return NULL;
    *ret_offset = (size_t)at;
    *ret_length = 4;
    return "names no matcher";
}

static const struct option router_options[] = {
    OPTION(STR, struct sample_router, rule, .required = true, .check = check_rule,
           .help = "Which requests it takes."),
    OPTION(INT, struct sample_router, priority, .help = "Higher is tried first."),
    OPTION(STRS, struct sample_router, middlewares, .help = "What a request passes."),
    OPTION(LIST, struct sample_router, servers, .table = &server_table, .help = "Servers."),
    OPTION(OBJECT, struct sample_router, headers, .table = &headers_table, .help = "Fields."),
};
static const struct option_table router_table =
    OPTION_TABLE(struct sample_router, router_options, .summary = "Which requests go where.");

static void validate_limits(void *value, const struct node *node, struct diag *diag)
{
    struct sample_limits *limits = value;
    if (limits->timeout == 7 * TIME_S)
        diag_error(diag, node_span(node), "seven seconds bring bad luck");
}

static const struct option limits_options[] = {
    OPTION(DURATION, struct sample_limits, timeout, .fallback = "30s", .min = 0, .max = 3600 * TIME_S,
           .help = "Time for all."),
    OPTION(SIZE, struct sample_limits, body, .fallback = "1MiB", .min = 1024, .max = 1 << 30,
           .help = "Bytes of a body."),
    OPTION(NUMBER, struct sample_limits, ratio, .fallback = "0.5", .help = "A share."),
};
static const struct option_table limits_table =
    OPTION_TABLE(struct sample_limits, limits_options, .validate = validate_limits,
                 .summary = "Limits.");

static const struct option_name level_names[] = {{"low", SAMPLE_LOW}, {"high", SAMPLE_HIGH}, {NULL, 0}};

static const struct option sample_options[] = {
    OPTION(STR, struct sample, address, .alias = "listen", .fallback = ":80", .help = "Where it listens."),
    OPTION(BOOL, struct sample, watch, .fallback = "true", .help = "Takes up changes."),
    OPTION(ENUM, struct sample, level, .names = level_names, .fallback = "high", .help = "How much."),
    OPTION(INT, struct sample, workers, .min = 1, .max = 64, .fallback = "2", .help = "Threads."),
    OPTION(STRS, struct sample, hosts, .fallback = "a,b", .help = "Names."),
    OPTION(STR, struct sample, password, .secret = true, .help = "A word."),
    OPTION(STRUCT, struct sample, limits, .table = &limits_table, .help = "Limits."),
    OPTION(OBJECT, struct sample, headers, .table = &headers_table, .help = "Fields."),
    OPTION(OBJECT, struct sample, defaults, .table = &headers_table, .fallback = "true",
           .help = "Fields, unless switched off."),
    OPTION(MAP, struct sample, routers, .table = &router_table, .help = "Routers by name."),
    OPTION(MAP, struct sample, middlewares, .table = &middleware_table, .help = "Changes by name."),
    {.name = "pilot", .removed = "the service has ended", .help = "Gone."},
    {.name = "checkNewVersion", .accepted = "nothing is ever sent", .help = "Nothing."},
};
const struct option_table sample_table =
    OPTION_TABLE(struct sample, sample_options, .summary = "A sample.");
