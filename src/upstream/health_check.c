#include "upstream/health_check.h"

#include "http/token.h"

#define SHORTEST INT64_C(1000000)

static const char *check_path(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    if (str_empty(text) || text.data[0] != '/')
        return "does not begin with '/'";
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] <= ' ' || (unsigned char)text.data[i] >= 127)
            return "has a character that must be percent-encoded";
    return NULL;
}

static const char *check_method(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return token_is_valid(text) ? NULL : "is not a method";
}

static const char *check_value(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return token_is_field_value(text) ? NULL : "is not the value of a header field";
}

static void validate(void *value, const struct node *node, struct diag *diag)
{
    struct health_check *check = value;
    for (size_t i = 0; i < check->headers.count; i++) {
        struct str name = check->headers.items[i].name;
        if (!token_is_valid(name))
            diag_error(diag, node_span(node_get(node, S("headers"))), "'%.*s' is not the name of a header field",
                       STR_ARGS(name));
    }
}

static const struct option_name modes[] = {{"http", HEALTH_HTTP}, {"grpc", HEALTH_GRPC}, {NULL, 0}};
static const struct option_name schemes[] = {
    {"http", HEALTH_SCHEME_HTTP}, {"https", HEALTH_SCHEME_HTTPS}, {"h2c", HEALTH_SCHEME_H2C}, {NULL, 0}};

static const struct option options[] = {
    OPTION(STR, struct health_check, path, .fallback = "/", .check = check_path,
           .help = "The path that is asked for, a query included."),
    OPTION(ENUM, struct health_check, mode, .names = modes, .fallback = "http",
           .help = "How a server is asked: by a request for the path, or by gRPC's health protocol."),
    OPTION(STR, struct health_check, method, .fallback = "GET", .check = check_method, .help = "The request's method."),
    OPTION(INT, struct health_check, status, .min = 0, .max = 599,
           .help = "The status that a well server answers with; 0: any from 200 to 399."),
    OPTION(INT, struct health_check, port, .min = 0, .max = 65535, .help = "Another port to ask; 0: the server's."),
    OPTION(ENUM, struct health_check, scheme, .names = schemes,
           .help = "What is spoken to it; none: what its URL says (gRPC without TLS is h2c)."),
    OPTION(STR, struct health_check, hostname, .check = check_value, .help = "The host named in the request's Host."),
    OPTION(STRMAP, struct health_check, headers, .check = check_value, .help = "Header fields of the request."),
    OPTION(DURATION, struct health_check, interval, .fallback = "30s", .min = SHORTEST, .max = INT64_MAX,
           .help = "Time between two checks of a server that is well."),
    OPTION_NAMED(DURATION, struct health_check, unhealthy_interval, "unhealthyInterval", .min = 0, .max = INT64_MAX,
                 .help = "Time between two checks of a server that is not; 0: as interval."),
    OPTION(DURATION, struct health_check, timeout, .fallback = "5s", .min = SHORTEST, .max = INT64_MAX,
           .help = "Time for a whole check, redirections included."),
    OPTION_NAMED(BOOL, struct health_check, follow_redirects, "followRedirects", .fallback = "true",
                 .help = "Follow redirections within the server, 10 at most; others are taken as the answer."),
};
const struct option_table health_check_table =
    OPTION_TABLE(struct health_check, options, .validate = validate,
                 .summary = "Asks every server from time to time and takes out those that do not answer well.");

struct health_check health_check_copy(const struct health_check *check, struct arena *arena)
{
    struct health_check copy = *check;
    copy.origin = NULL;
    copy.path = arena_str(arena, check->path);
    copy.method = arena_str(arena, check->method);
    copy.hostname = arena_str(arena, check->hostname);
    copy.headers.items = arena_array(arena, struct strmap_item, check->headers.count);
    for (size_t i = 0; i < check->headers.count; i++)
        copy.headers.items[i] = (struct strmap_item){arena_str(arena, check->headers.items[i].name),
                                                     arena_str(arena, check->headers.items[i].value)};
    return copy;
}

static bool headers_equal(const struct strmap *a, const struct strmap *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!str_equal(a->items[i].name, b->items[i].name) || !str_equal(a->items[i].value, b->items[i].value))
            return false;
    return true;
}

bool health_check_equal(const struct health_check *a, const struct health_check *b)
{
    return str_equal(a->path, b->path) && a->mode == b->mode && str_equal(a->method, b->method) &&
           a->status == b->status && a->port == b->port && a->scheme == b->scheme &&
           str_equal(a->hostname, b->hostname) && a->interval == b->interval &&
           a->unhealthy_interval == b->unhealthy_interval && a->timeout == b->timeout &&
           a->follow_redirects == b->follow_redirects && headers_equal(&a->headers, &b->headers);
}
