/* proxy_pass: a place whose requests go to servers. It becomes a service `forward`, which has the place's connections and its word on
 * other servers, before the service of the upstream{} or host; and a `proxyPass` (proxy_pass.c). */
#include "config/nginx/upstream.h"

#define LEVELS (NGINX_EVERYWHERE | NGINX_LOCATION_IF)
#define STREAMS "what a server sends is passed on as it comes, and a slow client slows the server down: nothing is buffered whole"
#define ONE(directive) {directive, NGINX_EVERYWHERE, .min = 1, .max = 1}

static const struct nginx_syntax rows[] = {
    {"proxy_pass", NGINX_LOCATION | NGINX_LOCATION_IF | NGINX_LIMIT_EXCEPT, .min = 1, .max = 1, .help = "Requests go to this server or upstream."},
    {"proxy_redirect", NGINX_EVERYWHERE, .min = 1, .max = 2, .repeats = true},
    {"proxy_cookie_domain", NGINX_EVERYWHERE, .min = 1, .max = 2, .repeats = true},
    {"proxy_cookie_path", NGINX_EVERYWHERE, .min = 1, .max = 2, .repeats = true},
    {"proxy_cookie_flags", NGINX_EVERYWHERE, .min = 1, .max = 4, .repeats = true},
    {"proxy_set_header", NGINX_EVERYWHERE, .min = 2, .max = 2, .repeats = true},
    {"proxy_hide_header", NGINX_EVERYWHERE, .min = 1, .max = 1, .repeats = true},
    {"proxy_pass_header", NGINX_EVERYWHERE, .min = 1, .max = 1, .repeats = true},
    {"proxy_ignore_headers", NGINX_EVERYWHERE, .min = 1, .max = NGINX_MANY},
    {"proxy_next_upstream", NGINX_EVERYWHERE, .min = 1, .max = NGINX_MANY},
    {"proxy_bind", NGINX_EVERYWHERE, .min = 1, .max = 2},
    ONE("proxy_next_upstream_tries"), ONE("proxy_next_upstream_timeout"), ONE("proxy_connect_timeout"), ONE("proxy_read_timeout"),
    ONE("proxy_send_timeout"), ONE("proxy_method"), ONE("proxy_set_body"), ONE("proxy_http_version"), ONE("proxy_limit_rate"),
    {"proxy_pass_request_headers", NGINX_EVERYWHERE, .flag = true},
    {"proxy_pass_request_body", NGINX_EVERYWHERE, .flag = true},
    {"proxy_pass_trailers", NGINX_EVERYWHERE, .flag = true},
    {"proxy_intercept_errors", NGINX_EVERYWHERE, .flag = true},
    {"proxy_request_buffering", NGINX_EVERYWHERE, .flag = true},
    {"proxy_socket_keepalive", NGINX_EVERYWHERE, .flag = true},
    {"proxy_force_ranges", NGINX_EVERYWHERE, .flag = true},
    {"early_hints", NGINX_EVERYWHERE, .min = 1, .max = NGINX_MANY},
    {"proxy_ignore_client_abort", NGINX_EVERYWHERE, .flag = true,
     .noted = "when a client leaves, its request to the server is ended; a server that must not be interrupted does its work apart"},
    {"proxy_buffering", NGINX_EVERYWHERE, .flag = true, .noted = STREAMS},
    {"proxy_buffers", NGINX_EVERYWHERE, .min = 2, .max = 2, .noted = STREAMS},
    {"proxy_buffer_size", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = "a response's head may be as large as serversTransport.maxResponseHeaderBytes says: 1 MiB"},
    {"proxy_busy_buffers_size", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = STREAMS},
    {"proxy_max_temp_file_size", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = STREAMS},
    {"proxy_temp_file_write_size", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = STREAMS},
    {"proxy_temp_path", NGINX_EVERYWHERE, .min = 1, .max = 4, .noted = STREAMS},
    {"proxy_headers_hash_max_size", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = "the tables of fields grow as they need"},
    {"proxy_headers_hash_bucket_size", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = "the tables of fields grow as they need"},
    {"proxy_send_lowat", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = "nginx has it for FreeBSD alone"},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

/* ---- the URL ---- */

static void check_uri_part(struct nginx_place *place, const struct nginx_directive *directive, const struct nginx_url *url)
{
    bool own = nginx_here(place->scope, "proxy_pass") == directive;
    bool nameless = place->named || place->regex || (own && place->kind != NGINX_PLACE_LOCATION);
    if (url->uri.len != 0 && !url->variables && nameless)
        diag_error(place->compile->diag, directive->words[0].span,
                   "\"proxy_pass\" cannot have URI part in location given by regular expression, or inside named location, or inside \"if\" "
                   "statement, or inside \"limit_except\" block");
}

/* The location that a place stands in, or is. */
static const struct nginx_place *location_of(const struct nginx_place *place)
{
    while (place->kind != NGINX_PLACE_LOCATION && place->outer != NULL)
        place = place->outer;
    return place;
}

/* ---- the service ---- */

static bool is_version(const struct nginx_place *place, const char *version)
{
    const struct nginx_directive *directive = nginx_find(place->scope, "proxy_http_version");
    return directive != NULL && directive->count == 1 && str_equal(directive->words[0].text, str_from(version));
}

static void put_bind(struct nginx_place *place, struct node *options, struct node *transport)
{
    const struct nginx_directive *directive =
        nginx_find(place->scope, arena_printf(place->compile->arena, "%s_bind", nginx_place_prefix(place)).data);
    if (directive == NULL || directive->count == 0 || str_equal(directive->words[0].text, S("off")))
        return;
    const struct nginx_word *word = &directive->words[0];
    nginx_put(place->compile, nginx_has_variables(word->text) ? options : transport, "localAddress", nginx_template(place->compile, word), word->span);
    if (directive->count == 1)
        return;
    if (str_equal(directive->words[1].text, S("transparent")))
        nginx_put_flag(place->compile, transport, "transparent", true, directive->words[1].span);
    else
        nginx_invalid(place->compile, directive, &directive->words[1]);
}

/* Schemes of the model for a scheme of nginx. */
static const char *model_scheme(const struct nginx_place *place, const struct nginx_url *url)
{
    if (url->secure)
        return "https";
    return str_starts(url->scheme, S("grpc")) || is_version(place, "2") ? "h2c" : "http";
}

/* The groups that a URL may name when it is known. */
static void put_known(const struct nginx_place *place, const struct nginx_url *url, struct node *known, struct span span)
{
    bool grpc = str_starts(url->scheme, S("grpc"));
    nginx_all_groups(place->compile, known, grpc ? "grpc" : "http", grpc || is_version(place, "2") ? "h2c" : "http", span);
    nginx_all_groups(place->compile, known, grpc ? "grpcs" : "https", "https", span);
}

void nginx_put_service(struct nginx_place *place, const struct nginx_directive *directive, const struct nginx_url *url)
{
    struct nginx_compile *compile = place->compile;
    const char *prefix = nginx_place_prefix(place);
    struct node *options = nginx_service(place, "forward", directive->span);
    struct node *transport = nginx_place_transport(place);
    bool h2 = is_version(place, "2") || str_starts(url->scheme, S("grpc"));
    if (!url->variables) {
        nginx_put(compile, options, "service", nginx_service_of(compile, url, model_scheme(place, url), directive->span), directive->words[0].span);
    } else {
        struct node *known = nginx_put_map(compile, options, "services", directive->span);
        put_known(place, url, known, directive->span);
        const struct nginx_directive *resolver = nginx_find(place->scope, "resolver");
        if (resolver != NULL)
            nginx_put_resolver(compile, options, resolver, nginx_find(place->scope, "resolver_timeout"));
    }
    if (!h2)
        nginx_put_flag(compile, transport, "disableHTTP2", true, directive->span);
    if (nginx_flag(place->scope, arena_printf(compile->arena, "%s_socket_keepalive", prefix).data, false))
        nginx_put_flag(compile, transport, "tcpKeepAlive", true, directive->span);
    nginx_put(compile, options, "serversTransport", place->name, directive->span);
    put_bind(place, options, transport);
    nginx_put_retries(place, prefix, options);
}

/* ---- the whole ---- */

static void put_version(struct nginx_place *place, struct node *options)
{
    const struct nginx_directive *directive = nginx_find(place->scope, "proxy_http_version");
    if (directive == NULL || directive->count == 0)
        return;
    struct str version = directive->words[0].text;
    if (str_equal(version, S("1.0")) || str_equal(version, S("2")))
        nginx_put(place->compile, options, "version", version, directive->words[0].span);
    else if (!str_equal(version, S("1.1")))
        nginx_invalid(place->compile, directive, &directive->words[0]);
}

static void put_template(struct nginx_place *place, struct node *options, const char *key, const char *name)
{
    const struct nginx_directive *directive = nginx_find(place->scope, name);
    if (directive != NULL && directive->count == 1)
        nginx_put(place->compile, options, key, nginx_template(place->compile, &directive->words[0]), directive->words[0].span);
}

static void put_flag(struct nginx_place *place, struct node *options, const char *key, const char *name, bool usual, bool wanted)
{
    bool on = nginx_flag(place->scope, name, usual);
    if (on == wanted)
        nginx_put_flag(place->compile, options, key, on, options->span);
}

static void put_rate(struct nginx_place *place, struct node *options)
{
    const struct nginx_directive *directive = nginx_find(place->scope, "proxy_limit_rate");
    int64_t bytes;
    if (directive != NULL && !nginx_has_variables(directive->words[0].text) && !nginx_size(directive->words[0].text, &bytes))
        nginx_invalid(place->compile, directive, &directive->words[0]);
    else
        put_template(place, options, "limitRate", "proxy_limit_rate");
}

/* What servers send is cut here only where nginx is told to: its own ranges are the server's business. */
static void put_force_ranges(struct nginx_place *place, const struct nginx_directive *pass)
{
    const struct nginx_directive *max = nginx_find(place->scope, "max_ranges");
    uint64_t count;
    if (!nginx_flag(place->scope, "proxy_force_ranges", false))
        return;
    struct node *options = nginx_middleware(place, NGINX_CHAIN_RANGE, "range", pass->span);
    nginx_put_flag(place->compile, options, "force", true, pass->span);
    if (max != NULL && str_to_u64(max->words[0].text, &count) && count <= 1000000)
        nginx_put_number(place->compile, options, "maxRanges", (int64_t)count, max->span);
}

static void proxy_content(struct nginx_place *place, const struct nginx_directive *directive)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_word *word = &directive->words[0];
    struct nginx_url url;
    if (!nginx_url_parse(compile, directive, word, &url))
        return;
    check_uri_part(place, directive, &url);
    nginx_put_service(place, directive, &url);
    struct node *options = nginx_middleware(place, NGINX_CHAIN_UPSTREAM, "proxyPass", directive->span);
    nginx_put(compile, options, "url", nginx_template(compile, word), word->span);
    if (url.uri.len != 0 && !url.variables)
        nginx_put(compile, options, "replaces", location_of(place)->path, word->span);
    put_template(place, options, "method", "proxy_method");
    put_template(place, options, "body", "proxy_set_body");
    put_version(place, options);
    put_rate(place, options);
    put_force_ranges(place, directive);
    put_flag(place, options, "passFields", "proxy_pass_request_headers", true, false);
    put_flag(place, options, "passBody", "proxy_pass_request_body", true, false);
    put_flag(place, options, "bufferBody", "proxy_request_buffering", true, true);
    nginx_put_flag(compile, options, "passTrailers", nginx_flag(place->scope, "proxy_pass_trailers", false), directive->span);
    nginx_put_fields(place, "proxy", options);
    nginx_put_response(place, "proxy", options);
    nginx_put_redirects(place, directive, &url, location_of(place)->path, options);
}

static const struct nginx_part part = {.name = "proxy", .content_directive = "proxy_pass", .content = proxy_content};
REGISTER(nginx_part, part);
