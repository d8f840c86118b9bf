/* grpc_pass: proxy_pass over HTTP/2, in the clear or under TLS. What grpc_* directives say is said of a `proxyPass` too. */
#include "config/nginx/upstream.h"

#define LEVELS NGINX_EVERYWHERE
#define ONE(directive) {directive, LEVELS, .min = 1, .max = 1}

static const struct nginx_syntax rows[] = {
    {"grpc_pass", NGINX_LOCATION | NGINX_LOCATION_IF, .min = 1, .max = 1, .help = "Requests go to this gRPC server or upstream, by HTTP/2."},
    {"grpc_set_header", LEVELS, .min = 2, .max = 2, .repeats = true},
    {"grpc_hide_header", LEVELS, .min = 1, .max = 1, .repeats = true},
    {"grpc_pass_header", LEVELS, .min = 1, .max = 1, .repeats = true},
    {"grpc_ignore_headers", LEVELS, .min = 1, .max = NGINX_MANY},
    {"grpc_next_upstream", LEVELS, .min = 1, .max = NGINX_MANY},
    {"grpc_bind", LEVELS, .min = 1, .max = 2},
    ONE("grpc_next_upstream_tries"), ONE("grpc_next_upstream_timeout"), ONE("grpc_connect_timeout"), ONE("grpc_read_timeout"),
    ONE("grpc_send_timeout"),
    {"grpc_intercept_errors", LEVELS, .flag = true},
    {"grpc_socket_keepalive", LEVELS, .flag = true},
    {"grpc_request_buffering", LEVELS, .flag = true},
    {"grpc_buffer_size", LEVELS, .min = 1, .max = 1, .noted = "a response's head may be as large as serversTransport.maxResponseHeaderBytes says: 1 MiB"},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

static void grpc_content(struct nginx_place *place, const struct nginx_directive *directive)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_word *word = &directive->words[0];
    struct nginx_url url;
    if (!nginx_url_parse(compile, directive, word, &url))
        return;
    if (url.uri.len != 0 && !url.variables)
        diag_error(compile->diag, word->span, "invalid host in upstream \"%.*s\"", STR_ARGS(word->text));
    nginx_put_service(place, directive, &url);
    struct node *options = nginx_middleware(place, NGINX_CHAIN_UPSTREAM, "proxyPass", directive->span);
    struct str text = nginx_template(compile, word);
    bool has_scheme = str_find(word->text, S("://")) >= 0;
    bool later = !has_scheme && url.variables;      /* a variable may hold one */
    nginx_put(compile, options, "url", has_scheme || later ? text : arena_concat(compile->arena, S("grpc://"), text), word->span);
    if (later)
        nginx_put(compile, options, "scheme", S("grpc"), word->span);
    if (nginx_flag(place->scope, "grpc_request_buffering", false))
        nginx_put_flag(compile, options, "bufferBody", true, directive->span);
    nginx_put_fields(place, "grpc", options);
    nginx_put_response(place, "grpc", options);
}

static const struct nginx_part part = {.name = "grpc", .content_directive = "grpc_pass", .content = grpc_content};
REGISTER(nginx_part, part);
