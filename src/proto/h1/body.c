#include "proto/h1/body.h"

void h1_body_in_init(struct h1_body_in *body, enum h1_framing framing, int64_t length, struct fields *trailers)
{
    body->framing = framing;
    body->left = framing == H1_LENGTH ? length : 0;
    body->asked = false;
    body->ended = framing == H1_NO_BODY || (framing == H1_LENGTH && length == 0);
    body->trailers = trailers;
    if (framing == H1_CHUNKED)
        h1_chunked_init(&body->chunked);
}

void h1_body_out_init(struct h1_body_out *body, enum h1_framing framing, int64_t length)
{
    body->framing = framing;
    body->left = framing == H1_LENGTH ? length : 0;
    body->ended = framing == H1_NO_BODY || (framing == H1_LENGTH && length == 0);
}

/* Plain bytes that are buffered, up to what the framing and `max` allow. */
static size_t take_plain(struct h1_body_in *body, struct h1_wire *wire, struct chunkq *into, size_t max)
{
    size_t len = h1_wire_input(wire).len;
    if (len > max)
        len = max;
    if (body->framing == H1_LENGTH && (int64_t)len > body->left)
        len = (size_t)body->left;
    if (len == 0)
        return 0;
    h1_wire_give(wire, len, into);
    if (body->framing == H1_LENGTH) {
        body->left -= (int64_t)len;
        body->ended = body->left == 0;
    }
    return len;
}

/* Decodes what is buffered; OK with bytes moved, AGAIN when more must come, END at the last chunk. */
static enum status take_chunked(struct h1_body_in *body, struct h1_wire *wire, struct chunkq *into, size_t max)
{
    size_t moved = 0;
    while (h1_wire_input(wire).len != 0 && moved < max) {
        size_t skip = 0, data = 0;
        enum status status = h1_chunked_next(&body->chunked, str_first(h1_wire_input(wire), max - moved + 4096),
                                             body->trailers, &skip, &data);
        if (skip != 0)
            h1_wire_take(wire, skip);
        if (status == STATUS_OK && data != 0) {
            h1_wire_give(wire, data, into);
            moved += data;
        } else if (status == STATUS_END) {
            body->ended = true;
            return moved != 0 ? STATUS_OK : STATUS_END;
        } else if (status != STATUS_OK && status != STATUS_AGAIN) {
            return status;
        }
        if (skip + data == 0)
            break;
    }
    return moved != 0 ? STATUS_OK : STATUS_AGAIN;
}

enum status h1_body_read(struct h1_body_in *body, struct h1_wire *wire, struct chunkq *into, size_t max,
                         enum status truncated)
{
    body->asked = true;
    for (;;) {
        if (body->ended)
            return STATUS_END;
        if (h1_wire_input(wire).len != 0) {
            enum status status = body->framing == H1_CHUNKED ? take_chunked(body, wire, into, max)
                                 : take_plain(body, wire, into, max) != 0 ? STATUS_OK
                                                                          : STATUS_AGAIN;
            if (status != STATUS_AGAIN)
                return status;
        }
        enum status status = h1_wire_fill(wire, true, CHUNK_LARGE_SIZE);
        if (status == STATUS_END && body->framing == H1_UNTIL_CLOSE) {
            body->ended = true;
            return STATUS_END;
        }
        if (status == STATUS_END || status == STATUS_IO_ERROR)
            return truncated;
        if (status != STATUS_OK)
            return status;
    }
}

enum status h1_body_take(struct h1_body_in *body, struct h1_wire *wire, char *memory, size_t size, size_t *ret_got,
                         enum status truncated)
{
    if (body->ended || body->framing != H1_UNTIL_CLOSE)
        return STATUS_END;
    bool buffered = wire->input != NULL;
    enum status status = h1_wire_read(wire, memory, size, ret_got);
    body->ended = status == STATUS_END && !buffered && wire->input == NULL;
    return status == STATUS_IO_ERROR ? truncated : status;
}

int64_t h1_body_splice_ready(const struct h1_body_in *body, const struct h1_wire *wire)
{
    return body->framing == H1_LENGTH && wire->input == NULL && wire->sock.layer == NULL ? body->left : 0;
}

enum status h1_body_splice(struct h1_body_in *body, struct h1_wire *wire, int pipe, size_t max, size_t *ret_moved,
                           enum status truncated)
{
    body->asked = true;
    *ret_moved = 0;
    if (body->ended)
        return STATUS_END;
    if ((int64_t)max > body->left)
        max = (size_t)body->left;
    enum status status = sock_splice_in(&wire->sock, pipe, max, ret_moved);
    if (status == STATUS_END || status == STATUS_IO_ERROR)
        return truncated;
    if (status == STATUS_OK) {
        body->left -= (int64_t)*ret_moved;
        body->ended = body->left == 0;
        if (wire->bytes_in != NULL)
            *wire->bytes_in += *ret_moved;
    }
    return status;
}

/* So few bytes are copied behind the head: that costs less than a slice of their own, here and in the kernel. */
#define COPIED_BYTES ((size_t)1024)

static void queue_plain(struct h1_wire *wire, struct chunkq *from)
{
    if (from->bytes > COPIED_BYTES || !chunkq_absorb(wire->out, from))
        chunkq_move(wire->out, from, from->bytes);
}

/* One chunk of the chunked coding around everything in `from`. */
static bool write_chunk(struct h1_wire *wire, struct chunkq *from)
{
    char prefix[24];
    size_t len = h1_chunk_prefix(from->bytes, prefix);
    if (!chunkq_add_copy(wire->out, &wire->worker->chunks, str_of(prefix, len)))
        return false;
    chunkq_move(wire->out, from, from->bytes);
    chunkq_add_static(wire->out, S("\r\n"));
    return true;
}

static bool write_last_chunk(struct h1_wire *wire, const struct fields *trailers)
{
    struct chunk_pool *pool = &wire->worker->chunks;
    if (trailers == NULL || trailers->count == 0) {
        chunkq_add_static(wire->out, S("0\r\n\r\n"));
        return true;
    }
    bool whole = chunkq_add_copy(wire->out, pool, S("0\r\n"));
    FIELDS_FOREACH(trailers, field)
        whole = whole && chunkq_add_copy(wire->out, pool, field->name) && chunkq_add_copy(wire->out, pool, S(": ")) &&
                chunkq_add_copy(wire->out, pool, field->value) && chunkq_add_copy(wire->out, pool, S("\r\n"));
    return whole && chunkq_add_copy(wire->out, pool, S("\r\n"));
}

enum status h1_body_write(struct h1_body_out *body, struct h1_wire *wire, struct chunkq *from, bool end,
                          const struct fields *trailers)
{
    if (wire->out->bytes > H1_OUT_BYTES || wire->out->count > H1_OUT_SLICES) {
        enum status status = h1_wire_flush(wire, true);
        if (status != STATUS_OK)
            return status;
    }
    if (from->bytes != 0) {
        if (body->framing == H1_CHUNKED) {
            if (!write_chunk(wire, from))
                return STATUS_OVERLOADED;
        } else if (body->framing == H1_LENGTH) {
            if ((int64_t)from->bytes > body->left)
                return STATUS_INTERNAL;      /* a filter that changed the length did not say so */
            body->left -= (int64_t)from->bytes;
            queue_plain(wire, from);
        } else if (body->framing == H1_UNTIL_CLOSE) {
            chunkq_move(wire->out, from, from->bytes);
        } else {
            chunkq_clear(from);
        }
    }
    if (end && !body->ended) {
        if (body->framing == H1_CHUNKED && !write_last_chunk(wire, trailers))
            return STATUS_OVERLOADED;
        if (body->framing == H1_LENGTH && body->left != 0)
            return STATUS_INTERNAL;
        body->ended = true;
    }
    return STATUS_OK;
}

enum status h1_body_put(const struct h1_body_out *body, struct h1_wire *wire, struct str bytes, size_t *ret_sent)
{
    return body->framing == H1_UNTIL_CLOSE ? h1_wire_write(wire, bytes, ret_sent) : STATUS_AGAIN;
}

bool h1_body_splice_possible(const struct h1_body_out *body, const struct h1_wire *wire)
{
    return wire->sock.layer == NULL && (body->framing == H1_LENGTH || body->framing == H1_UNTIL_CLOSE);
}

/* Before plain bytes go past the queue: the queue goes first, and a length that was announced is kept to. */
static enum status begin_plain(struct h1_body_out *body, struct h1_wire *wire, size_t max)
{
    enum status status = h1_wire_flush(wire, true);
    if (status == STATUS_OK && body->framing == H1_LENGTH && (int64_t)max > body->left)
        return STATUS_INTERNAL;
    return status;
}

static bool more_is_owed(const struct h1_body_out *body, size_t max)
{
    return body->framing == H1_LENGTH && (int64_t)max < body->left;
}

static void count_plain(struct h1_body_out *body, struct h1_wire *wire, size_t moved)
{
    if (body->framing == H1_LENGTH)
        body->left -= (int64_t)moved;
    if (wire->bytes_out != NULL)
        *wire->bytes_out += moved;
}

enum status h1_body_splice_out(struct h1_body_out *body, struct h1_wire *wire, int pipe, size_t max,
                               size_t *ret_moved)
{
    *ret_moved = 0;
    enum status status = begin_plain(body, wire, max);
    if (status != STATUS_OK)
        return status;
    status = sock_splice_out(&wire->sock, pipe, max, more_is_owed(body, max), ret_moved);
    count_plain(body, wire, *ret_moved);
    return status;
}

enum status h1_body_send_file(struct h1_body_out *body, struct h1_wire *wire, int file, off_t *offset, size_t max,
                              size_t *ret_moved)
{
    *ret_moved = 0;
    enum status status = begin_plain(body, wire, max);
    if (status != STATUS_OK)
        return status;
    status = sock_send_file(&wire->sock, file, offset, max, more_is_owed(body, max), ret_moved);
    count_plain(body, wire, *ret_moved);
    return status;
}
