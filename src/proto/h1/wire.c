#include "proto/h1/wire.h"

#include "net/ring.h"

/* A new chunk that begins with what is left in the old one. */
static enum status move_input(struct h1_wire *wire, struct chunk *fresh)
{
    if (fresh == NULL)
        return STATUS_OVERLOADED;
    struct str rest = h1_wire_input(wire);
    if (rest.len != 0)
        memcpy(fresh->data, rest.data, rest.len);
    fresh->used = (uint32_t)rest.len;
    h1_wire_drop_input(wire);
    wire->input = fresh;
    return STATUS_OK;
}

/* Makes sure that there is free room behind the buffered bytes of an input that there is. */
static enum status make_room(struct h1_wire *wire, bool large, size_t grow_to)
{
    struct chunk *input = wire->input;
    struct chunk_pool *pool = &wire->worker->chunks;
    if (input->used < input->capacity && !(large && input->used - wire->input_at == 0))
        return STATUS_OK;
    size_t held = input->used - wire->input_at;
    if (held == 0)
        return move_input(wire, chunk_new(pool, large));
    if (held < input->capacity && wire->input_at != 0)
        return move_input(wire, chunk_new(pool, input->large));
    if (input->capacity >= grow_to)
        return STATUS_FIELDS_TOO_LARGE;
    if (!input->large && held <= CHUNK_SMALL_SIZE)
        return move_input(wire, chunk_new(pool, true));
    size_t capacity = (size_t)input->capacity * 2 < grow_to ? (size_t)input->capacity * 2 : grow_to;
    return move_input(wire, chunk_new_sized(pool, capacity));
}

/* What came by a ring is a chunk already. */
static bool take_ahead(struct h1_wire *wire)
{
    struct chunk *chunk = wire->input == NULL ? ring_take(&wire->sock) : NULL;
    if (chunk == NULL)
        return false;
    wire->input = chunk;
    if (wire->bytes_in != NULL)
        *wire->bytes_in += chunk->used;
    return true;
}

enum status h1_wire_fill(struct h1_wire *wire, bool large, size_t grow_to)
{
    return h1_wire_fill_some(wire, large, grow_to, SIZE_MAX);
}

enum status h1_wire_fill_some(struct h1_wire *wire, bool large, size_t grow_to, size_t most)
{
    enum status status = STATUS_OK;
    if (!sock_may_read(&wire->sock))
        return STATUS_AGAIN;
    if (take_ahead(wire))
        return STATUS_OK;
    if (wire->input == NULL)
        wire->input = chunk_new(&wire->worker->chunks, large);
    else
        status = make_room(wire, large, grow_to);
    if (status != STATUS_OK || wire->input == NULL)
        return status != STATUS_OK ? status : STATUS_OVERLOADED;
    struct chunk *input = wire->input;
    size_t got = 0, room = input->capacity - input->used;
    status = sock_read(&wire->sock, input->data + input->used, room < most ? room : most, &got);
    if (status == STATUS_OK) {
        input->used += (uint32_t)got;
        if (wire->bytes_in != NULL)
            *wire->bytes_in += got;
    } else if (input->used == wire->input_at) {
        h1_wire_drop_input(wire);
    }
    return status;
}

enum status h1_wire_read(struct h1_wire *wire, char *memory, size_t size, size_t *ret_got)
{
    if (wire->input != NULL)
        return STATUS_END;
    if (!sock_may_read(&wire->sock))
        return STATUS_AGAIN;
    if (take_ahead(wire))
        return STATUS_END;
    enum status status = sock_read(&wire->sock, memory, size, ret_got);
    if (status == STATUS_OK && wire->bytes_in != NULL)
        *wire->bytes_in += *ret_got;
    return status;
}

void h1_wire_take(struct h1_wire *wire, size_t len)
{
    wire->input_at += (uint32_t)len;
    if (wire->input_at == wire->input->used)
        h1_wire_drop_input(wire);
}

void h1_wire_give(struct h1_wire *wire, size_t len, struct chunkq *into)
{
    struct chunk *input = wire->input;
    char *data = input->data + wire->input_at;
    wire->input_at += (uint32_t)len;
    if (wire->input_at != input->used) {
        chunkq_add(into, input, data, len);
        return;
    }
    wire->input = NULL;
    wire->input_at = 0;
    chunkq_give(into, input, data, len);
}

static __attribute__((noinline)) enum status write_several(struct h1_wire *wire, bool more, size_t *ret_sent)
{
    struct iovec vector[H1_WIRE_SLICES];
    int count = chunkq_iovec(wire->out, vector, H1_WIRE_SLICES);
    return sock_write(&wire->sock, vector, count, more, ret_sent);
}

/* Mostly one slice holds all there is: a head, or a head and a short body. */
static enum status write_out(struct h1_wire *wire, bool more, size_t *ret_sent)
{
    struct iovec vector;
    if (wire->out->count != 1)
        return write_several(wire, more, ret_sent);
    const struct str bytes = chunkq_front(wire->out);
    vector = (struct iovec){.iov_base = (char *)(uintptr_t)bytes.data, .iov_len = bytes.len};
    return sock_write(&wire->sock, &vector, 1, more, ret_sent);
}

enum status h1_wire_flush(struct h1_wire *wire, bool more)
{
    struct chunkq *out = wire->out;
    while (out->bytes != 0) {
        size_t sent = 0;
        enum status status = write_out(wire, more, &sent);
        if (status != STATUS_OK)
            return status;
        chunkq_drop(out, sent);
        if (wire->bytes_out != NULL)
            *wire->bytes_out += sent;
    }
    return STATUS_OK;
}

enum status h1_wire_write(struct h1_wire *wire, struct str bytes, size_t *ret_sent)
{
    if (wire->out->bytes != 0)
        return STATUS_AGAIN;
    struct iovec vector = {.iov_base = (char *)(uintptr_t)bytes.data, .iov_len = bytes.len};
    enum status status = sock_write(&wire->sock, &vector, 1, false, ret_sent);
    if (status == STATUS_OK && wire->bytes_out != NULL)
        *wire->bytes_out += *ret_sent;
    return status;
}

char *h1_wire_reserve(struct h1_wire *wire, size_t size, struct chunk **ret_chunk)
{
    struct chunk_pool *pool = &wire->worker->chunks;
    struct chunk *chunk = size <= CHUNK_SMALL_SIZE - sizeof(struct chunk)   ? chunk_new(pool, false)
                          : size <= CHUNK_LARGE_SIZE - sizeof(struct chunk) ? chunk_new(pool, true)
                                                                            : chunk_new_sized(pool, size);
    *ret_chunk = chunk;
    return chunk != NULL ? chunk->data : NULL;
}

void h1_wire_commit(struct h1_wire *wire, struct chunk *chunk, char *data, size_t len)
{
    chunk->used += (uint32_t)len;
    chunkq_give(wire->out, chunk, data, len);
}

enum status h1_wire_send(struct h1_wire *wire, struct chunk *chunk, size_t len)
{
    struct iovec vector = {.iov_base = chunk->data, .iov_len = len};
    size_t sent = 0;
    enum status status = sock_write(&wire->sock, &vector, 1, false, &sent);
    if (wire->bytes_out != NULL)
        *wire->bytes_out += sent;
    if (sent < len && (status == STATUS_OK || status == STATUS_AGAIN)) {
        chunk->used += (uint32_t)len;
        chunkq_add(wire->out, chunk, chunk->data + sent, len - sent);
        status = STATUS_AGAIN;
    }
    chunk_unref(chunk);
    return status;
}

void h1_wire_drop_input(struct h1_wire *wire)
{
    if (wire->input != NULL)
        chunk_unref(wire->input);
    wire->input = NULL;
    wire->input_at = 0;
}
