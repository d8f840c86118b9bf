/* What servers did: $upstream_*. All attempts stand in each value, in their order: ", " between those of one location, " : " where a
 * redirect inside led to another one. And what proxyPass makes of its URL. */
#include <stdio.h>

#include "exchange/attempt.h"
#include "exchange/outgoing_url.h"
#include "exchange/variable.h"
#include "exchange/variable_fields.h"

#define PIECE_MAX 128
#define ATTEMPTS_SHOWN 64

/* Writes one attempt's part; 0: "-". */
typedef size_t (*attempt_text)(char *out, const struct former_attempt *attempt);

static size_t put_time(char *out, int64_t ns)
{
    int64_t ms = ns / 1000000;
    return ns < 0 ? 0 : (size_t)snprintf(out, PIECE_MAX, "%lld.%03lld", (long long)(ms / 1000), (long long)(ms % 1000));
}

static size_t put_number(char *out, uint64_t number)
{
    return (size_t)snprintf(out, PIECE_MAX, "%llu", (unsigned long long)number);
}

static size_t put_address(char *out, const struct former_attempt *attempt)
{
    size_t length = attempt->address.len < PIECE_MAX ? attempt->address.len : PIECE_MAX;
    memcpy(out, attempt->address.data != NULL ? attempt->address.data : "", length);
    return length;
}

static size_t put_status(char *out, const struct former_attempt *attempt)
{
    return attempt->status != 0 ? put_number(out, (uint64_t)attempt->status) : 0;
}

static size_t put_connect_time(char *out, const struct former_attempt *attempt)
{
    return put_time(out, attempt->connect_time);
}

static size_t put_header_time(char *out, const struct former_attempt *attempt)
{
    return put_time(out, attempt->header_time);
}

static size_t put_response_time(char *out, const struct former_attempt *attempt)
{
    return put_time(out, attempt->response_time);
}

static size_t put_length(char *out, const struct former_attempt *attempt)
{
    return put_number(out, attempt->body_length);
}

static size_t put_sent(char *out, const struct former_attempt *attempt)
{
    return put_number(out, attempt->bytes_sent);
}

static size_t put_received(char *out, const struct former_attempt *attempt)
{
    return put_number(out, attempt->bytes_received);
}

/* The attempts, the oldest first. */
static unsigned collect(struct exchange *x, struct former_attempt *present, const struct former_attempt **out)
{
    unsigned count = 0;
    if (attempt_present(x, present))
        out[count++] = present;
    for (const struct former_attempt *it = x->former_attempts; it != NULL && count < ATTEMPTS_SHOWN; it = it->before)
        out[count++] = it;
    for (unsigned i = 0; i < count / 2; i++) {
        const struct former_attempt *other = out[i];
        out[i] = out[count - 1 - i];
        out[count - 1 - i] = other;
    }
    return count;
}

static struct str listed(struct exchange *x, attempt_text put)
{
    struct former_attempt present;
    const struct former_attempt *attempts[ATTEMPTS_SHOWN];
    unsigned count = collect(x, &present, attempts);
    char *text = count != 0 ? arena_alloc(&x->arena, count * (PIECE_MAX + 3)) : NULL, *at = text;
    if (text == NULL)
        return STR_NONE;
    for (unsigned i = 0; i < count; i++) {
        if (i != 0)
            at = attempts[i - 1]->redirected ? mempcpy(at, " : ", 3) : mempcpy(at, ", ", 2);
        size_t length = put(at, attempts[i]);
        if (length == 0)
            *at = '-';
        at += length != 0 ? length : 1;
    }
    return str_of(text, (size_t)(at - text));
}

#define LISTED(variable, writer, text) \
    static struct str get_##variable(struct exchange *x, struct str argument) \
    { \
        return listed(x, writer); \
    } \
    static const struct variable_type variable = { \
        .name = #variable, .help = text, .is_volatile = true, .get = get_##variable}; \
    REGISTER(variable_type, variable)

LISTED(upstream_addr, put_address, "The addresses of the servers that were asked.");
LISTED(upstream_status, put_status, "The statuses of their responses; 502 or 504 where none came.");
LISTED(upstream_connect_time, put_connect_time, "Seconds that connecting took, in milliseconds' resolution.");
LISTED(upstream_header_time, put_header_time, "Seconds until the response's head was there.");
LISTED(upstream_response_time, put_response_time, "Seconds until all of the response was there.");
LISTED(upstream_response_length, put_length, "Bytes of the responses' bodies.");
LISTED(upstream_bytes_sent, put_sent, "Bytes that were sent to servers, heads included.");
LISTED(upstream_bytes_received, put_received, "Bytes that came from servers, heads included.");

/* ---- the last response ---- */

static bool has_response(const struct exchange *x)
{
    return x->upstream_status != 0;
}

static struct str get_field(struct exchange *x, struct str name)
{
    return has_response(x) ? variable_of_fields(&x->upstream.response.fields, name, &x->arena) : STR_NONE;
}
static const struct variable_type upstream_http = {.name = "upstream_http_",
                                                   .alias = "upstream.header.",
                                                   .help = "A field of the server's response, as it came.",
                                                   .family = true,
                                                   .is_volatile = true,
                                                   .get = get_field};
REGISTER(variable_type, upstream_http);

static struct str get_trailer(struct exchange *x, struct str name)
{
    return has_response(x) ? variable_of_fields(&x->upstream.response.trailers, name, &x->arena) : STR_NONE;
}
static const struct variable_type upstream_trailer = {.name = "upstream_trailer_",
                                                      .alias = "upstream.trailer.",
                                                      .help = "A trailer of the server's response.",
                                                      .family = true,
                                                      .is_volatile = true,
                                                      .get = get_trailer};
REGISTER(variable_type, upstream_trailer);

static struct str get_cookie(struct exchange *x, struct str name)
{
    if (!has_response(x))
        return STR_NONE;
    FIELDS_FOREACH(&x->upstream.response.fields, field) {
        struct str value = field->value;
        ptrdiff_t equals = field->id == FIELD_SET_COOKIE ? str_find_char(value, '=', 0) : -1;
        size_t end_of_name = equals > 0 ? (size_t)equals : 0;
        while (end_of_name > 0 && value.data[end_of_name - 1] == ' ')
            end_of_name--;
        if (equals < 0 || !str_equal_nocase(str_first(value, end_of_name), name))
            continue;
        ptrdiff_t end = str_find_char(value, ';', (size_t)equals);
        return str_trim(str_from_index(end >= 0 ? str_first(value, (size_t)end) : value, (size_t)equals + 1));
    }
    return STR_NONE;
}
static const struct variable_type upstream_cookie = {.name = "upstream_cookie_",
                                                     .alias = "upstream.cookie.",
                                                     .help = "A cookie that the server's response sets.",
                                                     .family = true,
                                                     .is_volatile = true,
                                                     .get = get_cookie};
REGISTER(variable_type, upstream_cookie);

static struct str get_nothing(struct exchange *x, struct str argument)
{
    return STR_NONE;
}
static const struct variable_type upstream_cache_status = {
    .name = "upstream_cache_status", .help = "What a cache had to say: nothing, there is none.", .get = get_nothing};
REGISTER(variable_type, upstream_cache_status);
static const struct variable_type upstream_last_server_name = {
    .name = "upstream_last_server_name", .help = "nginx's name of the last server's certificate: nothing.", .get = get_nothing};
REGISTER(variable_type, upstream_last_server_name);

/* ---- where proxyPass sends it ---- */

static struct str get_proxy_host(struct exchange *x, struct str argument)
{
    return x->url != NULL ? x->url->authority : STR_NONE;
}
static const struct variable_type proxy_host = {.name = "proxy_host",
                                                .help = "The host of proxyPass.url, with its port where that is not the scheme's own.",
                                                .is_volatile = true,
                                                .get = get_proxy_host};
REGISTER(variable_type, proxy_host);

static struct str get_proxy_port(struct exchange *x, struct str argument)
{
    return x->url != NULL ? x->url->port : STR_NONE;
}
static const struct variable_type proxy_port = {
    .name = "proxy_port", .help = "The port of proxyPass.url.", .is_volatile = true, .get = get_proxy_port};
REGISTER(variable_type, proxy_port);

static struct str get_forwarded_for(struct exchange *x, struct str argument)
{
    struct str before = variable_of_fields(&exchange_request(x)->fields, S("x_forwarded_for"), &x->arena);
    struct str client = x->stream.client->unix_socket && !x->client_replaced ? S("unix:") : exchange_client_text(x);
    return before.len != 0 ? arena_printf(&x->arena, "%.*s, %.*s", STR_ARGS(before), STR_ARGS(client)) : client;
}
static const struct variable_type proxy_add_x_forwarded_for = {
    .name = "proxy_add_x_forwarded_for",
    .help = "The client's X-Forwarded-For and the client's address behind it. A client can put anything into the former.",
    .is_volatile = true,
    .get = get_forwarded_for};
REGISTER(variable_type, proxy_add_x_forwarded_for);
