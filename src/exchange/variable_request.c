/* The request itself: its line, its target in all its forms, its body. */
#include <unistd.h>

#include "base/base64.h"
#include "exchange/graph.h"
#include "exchange/spool.h"
#include "exchange/variable.h"
#include "exchange/visit.h"
#include "http/uri.h"

static struct str present(struct str text)
{
    return text.data != NULL ? text : S("");
}

/* The path decoded, as locations see it. */
static struct str uri(struct exchange *x, struct str argument)
{
    struct str path = exchange_request(x)->path, decoded;
    if (x->times.routed == 0 && x->failure != STATUS_OK)
        return S("");      /* it was refused before anybody looked at its path */
    if (x->visit != NULL && x->visit->site != NULL)
        return present(x->visit->uri);      /* empty: it leads out of the root */
    return memchr(path.data, '%', path.len) != NULL && uri_decode(&x->arena, path, &decoded) ? decoded : path;
}

static struct str args(struct exchange *x, struct str argument)
{
    struct str query = exchange_request(x)->query;
    return query.len != 0 ? query : STR_NONE;
}

/* What was sent as target no longer holds then: servers get the path and this query. */
static void set_args(struct exchange *x, struct str value)
{
    exchange_request(x)->query = value.len != 0 ? value : STR_NONE;
    if (x->visit != NULL)
        x->visit->uri_changed = true;
}

static struct str is_args(struct exchange *x, struct str argument)
{
    return exchange_request(x)->query.len != 0 ? S("?") : S("");
}

/* The target as it came, without scheme and host. Path and query mostly still stand beside each other. */
static struct str request_uri(struct exchange *x, struct str argument)
{
    struct str path = x->original_path, query = x->original_query;
    if (query.data == NULL)
        return present(path);
    if (query.data == path.data + path.len + 1)
        return str_of(path.data, path.len + 1 + query.len);
    return arena_printf(&x->arena, "%.*s?%.*s", STR_ARGS(path), STR_ARGS(query));
}

static struct str request_line(struct exchange *x, struct str argument)
{
    const struct request *request = exchange_request(x);
    struct str target = request->target.len != 0 ? request->target : request_uri(x, STR_NONE);
    struct str method = x->original_method_name.len != 0 ? x->original_method_name : method_text(x->original_method);
    if (method.len == 0)
        return S("");
    return arena_printf(&x->arena, "%.*s %.*s %.*s", STR_ARGS(method), STR_ARGS(target),
                        STR_ARGS(http_version_text(request->version)));
}

static struct str request_method(struct exchange *x, struct str argument)
{
    const struct request *request = exchange_request(x);
    return present(request->method_name.len != 0 ? request->method_name : method_text(request->method));
}

static struct str server_protocol(struct exchange *x, struct str argument)
{
    return http_version_text(exchange_request(x)->version);
}

static struct str scheme(struct exchange *x, struct str argument)
{
    return exchange_scheme(x);
}

static struct str https(struct exchange *x, struct str argument)
{
    return exchange_is_secure(x) ? S("on") : S("");
}

static struct str content_length(struct exchange *x, struct str argument)
{
    const struct request *request = exchange_request(x);
    struct str value = fields_value(&request->fields, FIELD_CONTENT_LENGTH);
    if (value.data == NULL && x->body_held)
        return arena_printf(&x->arena, "%lld", (long long)exchange_held_length(x));
    return value;
}

static struct str content_type(struct exchange *x, struct str argument)
{
    return fields_joined(&exchange_request(x)->fields, FIELD_CONTENT_TYPE, &x->arena);
}

static struct str request_body(struct exchange *x, struct str argument)
{
    return x->body_held ? exchange_held_bytes(x) : STR_NONE;
}

/* A file without a name of its own has this one, which lasts as long as the request. */
static struct str request_body_file(struct exchange *x, struct str argument)
{
    if (x->body_held && x->spool != NULL && spool_file_name(x->spool).data != NULL)
        return spool_file_name(x->spool);
    int file = x->body_held && x->spool != NULL ? spool_file(x->spool) : -1;
    return file >= 0 ? arena_printf(&x->arena, "/proc/%d/fd/%d", (int)getpid(), file) : STR_NONE;
}

static struct str request_id(struct exchange *x, struct str argument)
{
    return x->request_id;
}

/* Whom basic credentials name, whether anybody asked for them or not; what is not sound Base 64 names nobody. */
static struct str claimed_user(struct exchange *x)
{
    struct str given = fields_value(&exchange_request(x)->fields, FIELD_AUTHORIZATION);
    size_t len;
    if (!str_starts_nocase(given, S("Basic ")))
        return STR_NONE;
    struct str encoded = str_trim(str_from_index(given, 6));
    char *memory = arena_alloc(&x->arena, BASE64_DECODED_SIZE(encoded.len));
    if (memory == NULL || !base64_decode(BASE64_STANDARD, encoded, memory, &len))
        return STR_NONE;
    ptrdiff_t colon = str_find_char(str_of(memory, len), ':', 0);
    return colon >= 0 ? str_of(memory, (size_t)colon) : STR_NONE;
}

static struct str remote_user(struct exchange *x, struct str argument)
{
    return x->user.len != 0 ? x->user : claimed_user(x);
}

static struct str router_name(struct exchange *x, struct str argument)
{
    return x->router != NULL ? x->router->name : STR_NONE;
}

#define READS(function, text, dotted, words) \
    static const struct variable_type function##_type = {.name = text, .alias = dotted, .help = words, .is_volatile = true, .get = function}; \
    REGISTER(variable_type, function##_type)

READS(is_args, "is_args", "request.query.mark", "\"?\" where there is a query, else nothing.");
READS(request_uri, "request_uri", "request.uri", "The target as the client sent it: path and query, nothing decoded.");
READS(request_method, "request_method", "request.method", "The method.");
READS(server_protocol, "server_protocol", "request.protocol", "The protocol: \"HTTP/1.1\", \"HTTP/2.0\".");
READS(scheme, "scheme", "request.scheme", "\"http\" or \"https\".");
READS(https, "https", "request.https", "\"on\" where TLS is used, else nothing.");
READS(content_length, "content_length", "request.contentLength", "The Content-Length of the request.");
READS(content_type, "content_type", "request.contentType", "The Content-Type of the request.");
READS(request_body, "request_body", "request.body", "The request's body, where it was held in memory.");
READS(request_body_file, "request_body_file", "request.bodyFile",
      "The file that holds the request's body, while the request lasts; nothing where memory holds it.");
READS(request_id, "request_id", "request.id", "The request's id: 32 hexadecimal digits, or what a trusted peer named it.");
READS(remote_user, "remote_user", "request.user", "Who authenticated.");
READS(router_name, "router", "router.name", "The router that took the request.");

static const struct variable_type uri_type = {
    .name = "uri", .alias = "request.path", .is_volatile = true, .get = uri, .help = "The path, decoded and normalised; a rewrite or a redirect inside changes it."};
REGISTER(variable_type, uri_type);
static const struct variable_type document_uri_type = {
    .name = "document_uri", .is_volatile = true, .get = uri, .help = "The same as $uri."};
REGISTER(variable_type, document_uri_type);
static const struct variable_type args_type = {
    .name = "args", .alias = "request.query", .is_volatile = true, .get = args, .set = set_args, .help = "The query, without \"?\". Can be set."};
REGISTER(variable_type, args_type);
static const struct variable_type query_string_type = {
    .name = "query_string", .is_volatile = true, .get = args, .help = "The same as $args."};
REGISTER(variable_type, query_string_type);
static const struct variable_type request_type = {
    .name = "request", .alias = "request.line", .get = request_line, .help = "The request line as it came."};
REGISTER(variable_type, request_type);
