/* Limits and timeouts towards clients. Those of heads and connections are an entrypoint's, as its default server has them; those of bodies
 * and responses are a site's, and a router's where a location says something else. */
#include "config/nginx/client.h"

#define SERVERS (NGINX_HTTP | NGINX_SERVER)

static const struct nginx_syntax rows[] = {
    {"client_max_body_size", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "Bytes that a request's body may have; 0: any number."},
    {"client_body_timeout", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "Time between two arrivals of a request's body."},
    {"send_timeout", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "Time between two writes that a client takes something of."},
    {"keepalive_timeout", NGINX_EVERYWHERE, .min = 1, .max = 2, .help = "Time that an idle connection is kept; and what clients are told of it."},
    {"keepalive_requests", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "Requests that a connection may carry."},
    {"keepalive_time", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "Time that a connection may last."},
    {"keepalive_disable", NGINX_EVERYWHERE, .min = 1, .max = 2, .help = "Browsers whose connections are not kept: msie6, safari, none."},
    {"chunked_transfer_encoding", NGINX_EVERYWHERE, .min = 1, .max = 1, .flag = true, .help = "HTTP/1.1 responses of unknown length come in chunks."},
    {"client_header_timeout", SERVERS, .min = 1, .max = 1, .help = "Time for a request's head."},
    {"client_header_buffer_size", SERVERS, .min = 1, .max = 1, .help = "Counts towards the size that a request's head may have."},
    {"large_client_header_buffers", SERVERS, .min = 2, .max = 2, .help = "The size that a request's line may have, and its head."},
    {"max_headers", SERVERS, .min = 1, .max = 1, .help = "Header fields that a request may have."},
    {"underscores_in_headers", SERVERS, .min = 1, .max = 1, .flag = true, .help = "Header fields with an underscore in their name count."},
    {"ignore_invalid_headers", SERVERS, .min = 1, .max = 1, .flag = true, .help = "Header fields with unusual names are dropped."},
    {"http2", SERVERS, .min = 1, .max = 1, .flag = true, .help = "HTTP/2 is spoken."},
    {"http2_max_concurrent_streams", SERVERS, .min = 1, .max = 1, .help = "Streams that a connection may have open."},
    {"http3", SERVERS, .min = 1, .max = 1, .flag = true, .noted = "HTTP/3 is not spoken: clients come by HTTP/2"},
    {"http3_hq", SERVERS, .min = 1, .max = 1, .flag = true, .noted = "HTTP/3 is not spoken: clients come by HTTP/2"},
    {"http3_max_concurrent_streams", SERVERS, .min = 1, .max = 1, .noted = "HTTP/3 is not spoken: clients come by HTTP/2"},
    {"http3_stream_buffer_size", SERVERS, .min = 1, .max = 1, .noted = "HTTP/3 is not spoken: clients come by HTTP/2"},
    {"quic_retry", SERVERS, .min = 1, .max = 1, .flag = true, .noted = "HTTP/3 is not spoken: clients come by HTTP/2"},
    {"quic_gso", SERVERS, .min = 1, .max = 1, .flag = true, .noted = "HTTP/3 is not spoken: clients come by HTTP/2"},
    {"quic_host_key", SERVERS, .min = 1, .max = 1, .noted = "HTTP/3 is not spoken: clients come by HTTP/2"},
    {"quic_active_connection_id_limit", SERVERS, .min = 1, .max = 1, .noted = "HTTP/3 is not spoken: clients come by HTTP/2"},
    {"client_body_buffer_size", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "Bytes of a body that is held that stay in memory."},
    {"client_body_in_file_only", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "Bodies that are held lie in files: on, clean, off."},
    {"client_body_temp_path", NGINX_EVERYWHERE, .min = 1, .max = 4, .help = "The folder of those files."},
    {"keepalive_min_timeout", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = "connections that are closed behind a reload end when their request is done"},
    {"reset_timedout_connection", NGINX_EVERYWHERE, .min = 1, .max = 1, .flag = true, .noted = "what is broken off is reset anyway"},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

static int64_t clamp(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

static int64_t find_number(const struct nginx_place *place, const char *name, int64_t fallback)
{
    const struct nginx_directive *directive = nginx_find(place->scope, name);
    uint64_t number;
    if (directive == NULL)
        return fallback;
    if (str_to_u64(directive->words[0].text, &number) && number < INT32_MAX)
        return (int64_t)number;
    nginx_invalid(place->compile, directive, &directive->words[0]);
    return fallback;
}

/* The first word of keepalive_timeout, which may have a second one. */
static int64_t keep_alive_ms(const struct nginx_place *place)
{
    return nginx_find_time(place, "keepalive_timeout", 75000);
}

/* ---- an address ---- */

static void put_times(const struct nginx_place *place, struct node *entry, struct span span)
{
    struct nginx_compile *compile = place->compile;
    struct node *transport = nginx_put_map(compile, entry, "transport", span);
    struct node *times = nginx_put_map(compile, transport, "respondingTimeouts", span);
    int64_t head = nginx_find_time(place, "client_header_timeout", 60000), send = nginx_find_time(place, "send_timeout", 60000);
    if (head != 60000)
        nginx_put_time(compile, times, "readTimeout", head, span);
    if (send != 60000)
        nginx_put_time(compile, times, "writeTimeout", send, span);
    int64_t idle = keep_alive_ms(place);
    nginx_put_time(compile, times, "idleTimeout", idle != 0 ? idle : 75000, span);
    nginx_put_number(compile, times, "minimumRate", 0, span);
    nginx_put_number(compile, transport, "keepAliveMaxRequests", find_number(place, "keepalive_requests", 1000), span);
    nginx_put_time(compile, transport, "keepAliveMaxTime", nginx_find_time(place, "keepalive_time", 3600000), span);
}

static void put_head_limits(const struct nginx_place *place, struct node *http, struct span span)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *large = nginx_find(place->scope, "large_client_header_buffers");
    uint64_t count = 4;
    int64_t size = 8192, first = nginx_find_size(place, "client_header_buffer_size", 1024);
    if (large != NULL && (!str_to_u64(large->words[0].text, &count) || count == 0 || count > 100000))
        nginx_invalid(compile, large, &large->words[0]);
    if (large != NULL && (!nginx_size(large->words[1].text, &size) || size <= 0))
        nginx_invalid(compile, large, &large->words[1]);
    if (large != NULL && size < 256)
        diag_error(compile->diag, large->words[1].span, "\"large_client_header_buffers\" of less than 256 bytes are of no use");
    int64_t line = size > first ? size : first;
    nginx_put_number(compile, http, "maxLineBytes", clamp(line, 256, 1048576), span);
    nginx_put_number(compile, http, "maxHeaderBytes", clamp((int64_t)count * size, 1024, 16777216), span);
    nginx_put_number(compile, http, "maxHeaderFields", clamp(find_number(place, "max_headers", 1000), 1, 10000), span);
}

static void put_names(const struct nginx_place *place, struct node *http, struct span span)
{
    if (!nginx_flag(place->scope, "ignore_invalid_headers", true))
        return;
    if (!nginx_flag(place->scope, "underscores_in_headers", false))
        nginx_put(place->compile, http, "underscoreHeadersStrategy", S("delete"), span);
    nginx_put(place->compile, http, "unusualHeadersStrategy", S("delete"), span);
}

void nginx_entry_limits(struct nginx_compile *compile, struct nginx_address *address)
{
    struct nginx_place place = {.compile = compile, .scope = address->first};
    struct span span = address->entry->key_span;
    struct node *http = nginx_put_map(compile, address->entry, "http", span);
    put_times(&place, address->entry, span);
    put_head_limits(&place, http, span);
    put_names(&place, http, span);
    nginx_put_flag(compile, http, "keepAliveField", true, span);
    nginx_put_flag(compile, http, "halfCloseIsGone", true, span);
    bool http2 = address->http2 || nginx_flag(address->first, "http2", false);
    struct node *options = nginx_put_map(compile, address->entry, "http2", span);
    if (!http2 || address->tls)
        nginx_put_flag(compile, options, "h2c", false, span);
    nginx_put_flag(compile, options, "anyOpening", true, span);
    nginx_put_flag(compile, options, "goAwayAtOnce", true, span);
    nginx_put_number(compile, options, "maxConcurrentStreams", find_number(&place, "http2_max_concurrent_streams", 128), span);
}

/* ---- sites and locations ---- */

static const char *const names[] = {"client_max_body_size", "client_body_timeout", "send_timeout",      "keepalive_timeout",
                                    "keepalive_requests",   "keepalive_time",      "keepalive_disable", "chunked_transfer_encoding",
                                    "client_body_buffer_size", "client_body_in_file_only", "client_body_temp_path"};
#define NAMES (sizeof(names) / sizeof(names[0]))

/* What clients are told of keepalive_timeout: its second word, in seconds. */
static void put_keep_alive(const struct nginx_place *place, struct node *limits, struct span span)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *directive = nginx_find(place->scope, "keepalive_timeout");
    int64_t idle = keep_alive_ms(place), told;
    if (idle != 0)
        nginx_put_time(compile, limits, "idleTimeout", idle, span);
    else
        nginx_put_flag(compile, limits, "keepAlive", false, span);
    if (directive == NULL || directive->count < 2)
        return;
    if (!nginx_time(directive->words[1].text, &told))
        nginx_invalid(compile, directive, &directive->words[1]);
    else if (told >= 1000)
        nginx_put_number(compile, limits, "keepAliveHeader", told / 1000, directive->words[1].span);
}

/* Where bodies are held. nginx puts files that have names into a folder of its own. */
static void put_body_store(const struct nginx_place *place, struct node *limits)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *memory = nginx_find(place->scope, "client_body_buffer_size");
    const struct nginx_directive *file = nginx_find(place->scope, "client_body_in_file_only");
    const struct nginx_directive *folder = nginx_find(place->scope, "client_body_temp_path");
    bool named = file != NULL && !str_equal(file->words[0].text, S("off"));
    if (memory != NULL)
        nginx_put_number(compile, limits, "bodyMemory", nginx_find_size(place, "client_body_buffer_size", 16384), memory->words[0].span);
    if (named && !str_equal(file->words[0].text, S("on")) && !str_equal(file->words[0].text, S("clean")))
        nginx_invalid(compile, file, &file->words[0]);
    else if (named)
        nginx_put(compile, limits, "bodyFile", str_equal(file->words[0].text, S("on")) ? S("keep") : S("clean"), file->words[0].span);
    if (folder != NULL)
        nginx_put(compile, limits, "bodyFolder", nginx_prefix_path(compile, folder->words[0].text), folder->words[0].span);
    else if (named)
        nginx_put(compile, limits, "bodyFolder", nginx_prefix_path(compile, S("client_body_temp")), file->words[0].span);
}

/* msie6 where nothing is said. */
static void put_unkept_browsers(const struct nginx_place *place, struct node *limits, struct span span)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *directive = nginx_find(place->scope, "keepalive_disable");
    struct node *list = NULL;
    for (size_t i = 0; directive == NULL ? i == 0 : i < directive->count; i++) {
        struct str name = directive != NULL ? directive->words[i].text : S("msie6");
        struct span at = directive != NULL ? directive->words[i].span : span;
        if (str_equal(name, S("none")))
            continue;
        if (!str_equal(name, S("msie6")) && !str_equal(name, S("safari"))) {
            nginx_invalid(compile, directive, &directive->words[i]);
            continue;
        }
        if (list == NULL)
            list = nginx_put_list(compile, limits, "keepAliveDisable", at);
        nginx_add_text(compile, list, name, at);
    }
}

static void put_limits(const struct nginx_place *place, struct node *owner)
{
    struct nginx_compile *compile = place->compile;
    struct span span = place->block->span;
    const struct nginx_directive *size = nginx_find(place->scope, "client_max_body_size");
    struct node *limits = nginx_put_map(compile, owner, "limits", span);
    int64_t bytes = nginx_find_size(place, "client_max_body_size", 1 << 20);
    if (bytes != 0)
        nginx_put_number(compile, limits, "bodyBytes", bytes, size != NULL ? size->words[0].span : span);
    nginx_put_time(compile, limits, "bodyTimeout", nginx_find_time(place, "client_body_timeout", 60000), span);
    nginx_put_time(compile, limits, "sendTimeout", nginx_find_time(place, "send_timeout", 60000), span);
    put_keep_alive(place, limits, span);
    if (nginx_find(place->scope, "keepalive_requests") != NULL)
        nginx_put_number(compile, limits, "keepAliveMaxRequests", find_number(place, "keepalive_requests", 1000), span);
    if (nginx_find(place->scope, "keepalive_time") != NULL)
        nginx_put_time(compile, limits, "keepAliveMaxTime", nginx_find_time(place, "keepalive_time", 3600000), span);
    put_unkept_browsers(place, limits, span);
    put_body_store(place, limits);
    if (!nginx_flag(place->scope, "chunked_transfer_encoding", true))
        nginx_put_flag(compile, limits, "chunked", false, span);
}

static void client_server(struct nginx_server *server)
{
    struct nginx_place place = {.compile = server->compile, .server = server, .scope = server->scope, .block = server->block};
    put_limits(&place, server->site);
}

static void client_place(struct nginx_place *place)
{
    for (size_t i = 0; i < NAMES && place->kind != NGINX_PLACE_SERVER; i++)
        if (nginx_find(place->scope, names[i]) != nginx_find(place->server->scope, names[i])) {
            put_limits(place, place->router);
            return;
        }
}

static const struct nginx_part part = {.name = "client", .order = -90, .server = client_server, .place = client_place};
REGISTER(nginx_part, part);
