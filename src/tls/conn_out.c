/* Owns the way of ciphertext out: from the worker's buffer to the socket, or into the connection's pending chunk when the
 * kernel takes no more or it is better sent with what follows. */
#include "tls/conn_state.h"

#include <assert.h>
#include <stdlib.h>

static struct str pending_bytes(const struct tls_conn *conn)
{
    const struct chunk *pending = conn->pending;
    return pending != NULL ? str_of(pending->data + conn->pending_at, pending->used - conn->pending_at) : STR_NONE;
}

static void drop_pending(struct tls_conn *conn)
{
    chunk_unref(conn->pending);
    conn->pending = NULL;
}

/* OK with the bytes that left, perhaps none of them; IO_ERROR. */
static enum status send_bytes(struct tls_conn *conn, struct str bytes, bool more, size_t *ret_sent)
{
    struct iovec vector = {.iov_base = (void *)(uintptr_t)bytes.data, .iov_len = bytes.len};
    *ret_sent = 0;
    enum status status = sock_write_plain(conn->sock, &vector, 1, more, ret_sent);
    if (status == STATUS_IO_ERROR)
        conn->failed = conn->broken = true;
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

enum status conn_send_pending(struct tls_conn *conn, bool more)
{
    struct str bytes = pending_bytes(conn);
    size_t sent = 0;
    if (bytes.len == 0)
        return STATUS_OK;
    enum status status = send_bytes(conn, bytes, more, &sent);
    if (status != STATUS_OK)
        return status;
    conn->pending_at += (uint32_t)sent;
    if (sent < bytes.len)
        return STATUS_AGAIN;
    drop_pending(conn);
    return STATUS_OK;
}

/* Behind what is pending already. */
static bool put_aside(struct tls_conn *conn, struct str bytes)
{
    struct str held = pending_bytes(conn);
    struct chunk_pool *pool = &conn->worker->chunks;
    size_t size = held.len + bytes.len;
    struct chunk *chunk = size > CHUNK_LARGE_SIZE / 2 && size <= CHUNK_LARGE_SIZE - sizeof(struct chunk)
                              ? chunk_new(pool, true)
                              : chunk_new_sized(pool, size);
    if (chunk == NULL) {
        conn->failed = true;
        return false;
    }
    if (held.len != 0) {
        memcpy(chunk->data, held.data, held.len);
        drop_pending(conn);
    }
    memcpy(chunk->data + held.len, bytes.data, bytes.len);
    chunk->used = (uint32_t)size;
    conn->pending = chunk;
    conn->pending_at = 0;
    return true;
}

void conn_take_pending(struct tls_conn *conn)
{
    struct tls_worker *worker = conn->worker->tls;
    struct str bytes = pending_bytes(conn);
    assert(worker->used == 0);
    if (bytes.len == 0 || bytes.len > ASIDE_BYTES_MAX)
        return;
    memcpy(worker->out, bytes.data, bytes.len);
    worker->used = bytes.len;
    drop_pending(conn);
}

enum status conn_leave_sending(struct tls_conn *conn, bool more)
{
    struct tls_worker *worker = conn->worker->tls;
    struct str bytes = str_of(worker->out, worker->used);
    worker->used = 0;
    if (bytes.len == 0)
        return conn_send_pending(conn, more);
    size_t sent = 0;
    enum status status = conn_send_pending(conn, true);
    if (status == STATUS_OK)
        status = send_bytes(conn, bytes, more, &sent);
    if (status != STATUS_OK && status != STATUS_AGAIN)
        return status;
    bytes = str_from_index(bytes, sent);
    if (bytes.len == 0)
        return STATUS_OK;
    return put_aside(conn, bytes) ? STATUS_AGAIN : STATUS_IO_ERROR;
}

bool conn_leave_keeping(struct tls_conn *conn, bool soon)
{
    struct tls_worker *worker = conn->worker->tls;
    struct str bytes = str_of(worker->out, worker->used);
    worker->used = 0;
    if (bytes.len == 0)
        return true;
    if (bytes.len + pending_bytes(conn).len > OUT_BYTES + ASIDE_BYTES_MAX) {
        conn->failed = true;
        return false;
    }
    if (soon)
        loop_defer_flush(&conn->worker->loop, &conn->flush);
    return put_aside(conn, bytes);
}

/* At the end of a turn. A failure shows itself to whoever reads or writes next. */
void conn_flush_later(struct deferred *deferred)
{
    struct tls_conn *conn = container_of(deferred, struct tls_conn, flush);
    if (conn->released)
        free(conn);
    else
        (void)conn_send_pending(conn, false);
}
