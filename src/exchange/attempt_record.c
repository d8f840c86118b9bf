/* What is remembered of attempts. On the way of a request that one server answers nothing of this runs, unless a variable asks. */
#include "exchange/attempt.h"

/* A server with a name has many addresses: the connection knows which one it was. */
static struct str address_of(struct exchange *x, struct server *server)
{
    struct addr addresses[SERVER_ADDRESSES_MAX];
    if (x->upstream_bound && x->upstream.address != NULL)
        return addr_format(x->upstream.address, &x->arena);
    if (x->server_address.len != 0)
        return x->server_address;
    if (server->unix_socket)
        return arena_printf(&x->arena, "unix:%.*s", STR_ARGS(server->host));
    return server_addresses(server, addresses) != 0 ? addr_format(&addresses[0], &x->arena) : server->authority;
}

static int64_t since(const struct exchange *x, int64_t then)
{
    return then != 0 ? then - x->times.picked : -1;
}

bool attempt_present(struct exchange *x, struct former_attempt *ret_attempt)
{
    struct server *server = x->server != NULL ? x->server : x->asked;
    if (!x->attempt_open || server == NULL)
        return false;
    *ret_attempt = (struct former_attempt){.address = address_of(x, server),
                                           .status = x->upstream_status,
                                           .connect_time = since(x, x->times.connected),
                                           .header_time = since(x, x->times.first_byte),
                                           .response_time = since(x, x->times.ended),
                                           .bytes_sent = x->upstream.bytes_out,
                                           .bytes_received = x->upstream.bytes_in,
                                           .body_length = x->download_began ? x->download.moved : 0};
    return true;
}

void attempt_remember(struct exchange *x, int status, bool redirected)
{
    struct former_attempt present, *kept;
    if (!attempt_present(x, &present)) {
        if (redirected && x->former_attempts != NULL)
            x->former_attempts->redirected = true;
        return;
    }
    x->attempt_open = false;
    kept = arena_alloc(&x->arena, sizeof(*kept));
    if (kept == NULL)
        return;
    *kept = present;
    kept->before = x->former_attempts;
    kept->redirected = redirected;
    kept->status = status;
    kept->response_time = exchange_now(x) - x->times.picked;
    x->former_attempts = kept;
}

void attempt_note(struct exchange *x, struct str address, int status)
{
    struct former_attempt *noted = arena_alloc(&x->arena, sizeof(*noted));
    if (noted == NULL)
        return;
    *noted = (struct former_attempt){
        .before = x->former_attempts, .address = address, .status = status, .connect_time = -1, .header_time = -1};
    x->former_attempts = noted;
}
