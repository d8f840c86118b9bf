/* Owns plain bytes in and out of an established connection (struct sock_layer's read and write). */
#include "tls/conn_state.h"

#include <assert.h>
#include <openssl/err.h>

/* Of our own records: opened bytes, a whole record, or one that will be refused. */
static bool holds_bytes(const struct tls_conn *conn)
{
    if (conn->input == NULL || conn->plain != 0)
        return conn->plain != 0;
    size_t at = conn->input_at + conn->skip;
    struct str raw = str_of(conn->input->data + at, conn->input->used - at);
    size_t len = record_length(raw);
    return len != 0 && (len == SIZE_MAX || len <= raw.len);
}

void conn_note_buffered(struct tls_conn *conn)
{
    bool held = conn->ssl == NULL ? holds_bytes(conn) : conn->input != NULL || SSL_has_pending(conn->ssl) != 0;
    conn->sock->buffered = held || conn->ended || conn->failed;
}

/* ---- reading ---- */

static enum status read_failed(struct tls_conn *conn, int error)
{
    switch (error) {
    case SSL_ERROR_WANT_READ:
        return STATUS_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return STATUS_END;
    default: /* a WANT_WRITE too: the peer makes the library answer more than there is room for */
        conn->failed = true;
        return STATUS_IO_ERROR;
    }
}

/* By the library, as many records as fit. */
static enum status read_records(struct tls_conn *conn, char *buffer, size_t size, size_t *ret_got)
{
    size_t total = 0;
    enum status status;
    do {
        size_t got = 0;
        ERR_clear_error();
        int result = SSL_read_ex(conn->ssl, buffer + total, size - total, &got);
        status = result == 1 ? STATUS_OK : read_failed(conn, SSL_get_error(conn->ssl, result));
        total += got;
    } while (status == STATUS_OK && total < size && (conn->input != NULL || SSL_has_pending(conn->ssl) != 0));
    *ret_got = total;
    return status;
}

enum status conn_read(struct sock *sock, void *buffer, size_t size, size_t *ret_got)
{
    struct tls_conn *conn = sock->layer_state;
    size_t total = 0;
    assert(size > 0 && conn->established);
    if (conn->failed)
        return STATUS_IO_ERROR;
    if (conn->ended)
        return STATUS_END;
    conn_enter(conn);
    enum status status =
        conn->ssl != NULL ? read_records(conn, buffer, size, &total) : conn_open(conn, buffer, size, &total);
    if (status == STATUS_END)
        conn->ended = sock->peer_done = true;
    /* Answers to what was read (KeyUpdate, alerts): an alert says why the connection ends, so it goes at once. */
    if (status == STATUS_IO_ERROR)
        (void)conn_leave_sending(conn, false);
    else if (!conn_leave_keeping(conn, true))
        status = STATUS_IO_ERROR;
    /* Part of a record may be there after AGAIN; the rest of it is a new event. */
    if (status == STATUS_AGAIN)
        sock->buffered = false;
    else
        conn_note_buffered(conn);
    if (total == 0)
        return status;
    *ret_got = total;
    return STATUS_OK;
}

/* ---- writing ---- */

/* Where in a vector the next byte to be encrypted is. */
struct cursor {
    const struct iovec *vector;
    int count;
    size_t at;      /* within the first */
    size_t left;    /* bytes in all */
};

static void skip(struct cursor *cursor, size_t len)
{
    cursor->left -= len;
    while (len != 0 && len >= cursor->vector->iov_len - cursor->at) {
        len -= cursor->vector->iov_len - cursor->at;
        cursor->at = 0;
        cursor->vector++;
        cursor->count--;
    }
    cursor->at += len;
}

static struct cursor cursor_of(const struct iovec *vector, int count)
{
    struct cursor cursor = {.vector = vector, .count = count};
    for (int i = 0; i < count; i++)
        cursor.left += vector[i].iov_len;
    return cursor;
}

/* What the next record carries: as much as it may, of one slice where that fills it or is the last, else of several that
 * are joined in the worker's buffer. */
static struct str next_record(struct tls_worker *worker, struct cursor *cursor)
{
    const struct iovec *first = cursor->vector;
    size_t whole = cursor->left < RECORD_BYTES ? cursor->left : RECORD_BYTES;
    size_t here = first->iov_len - cursor->at;
    if (here >= whole) {
        struct str record = str_of((const char *)first->iov_base + cursor->at, whole);
        skip(cursor, whole);
        return record;
    }
    for (size_t joined = 0; joined < whole;) {
        size_t len = cursor->vector->iov_len - cursor->at;
        if (len > whole - joined)
            len = whole - joined;
        if (len != 0)
            memcpy(worker->plain + joined, (const char *)cursor->vector->iov_base + cursor->at, len);
        joined += len;
        if (len != 0)
            skip(cursor, len);
        else
            cursor->vector++, cursor->count--;
    }
    return str_of(worker->plain, whole);
}

static bool write_record(struct tls_conn *conn, struct str record)
{
    size_t written = 0;
    ERR_clear_error();
    return SSL_write_ex(conn->ssl, record.data, record.len, &written) == 1 && written == record.len;
}

/* Encrypts as much as the worker's buffer holds; gives the plain bytes. What is the last of them takes the goodbye along: a
 * send less, and a segment. */
static enum status encrypt(struct tls_conn *conn, struct cursor *cursor, size_t *ret_taken)
{
    struct tls_worker *worker = conn->worker->tls;
    size_t taken = 0;
    conn_enter(conn);
    while (cursor->left != 0 && sizeof(worker->out) - worker->used >= RECORD_BYTES + RECORD_COST) {
        struct str record = next_record(worker, cursor);
        if (!(conn->ssl != NULL ? write_record(conn, record) : conn_seal(conn, record))) {
            worker->used = 0;
            conn->failed = true;
            return STATUS_IO_ERROR;
        }
        taken += record.len;
    }
    if (cursor->left == 0 && conn->sock->ending && conn->ssl == NULL && !conn->goodbye) {
        conn->goodbye = true;
        conn_seal_alert(conn, false, ALERT_CLOSE_NOTIFY);
    }
    *ret_taken = taken;
    return STATUS_OK;
}

/* Plain bytes count as written when no more ciphertext is left than they have: it is never shorter than they are. */
static size_t tell_written(struct tls_conn *conn)
{
    size_t left = conn->pending != NULL ? conn->pending->used - conn->pending_at : 0;
    size_t still = conn->withheld < left ? conn->withheld : left;
    size_t told = conn->withheld - still;
    conn->withheld = (uint32_t)still;
    return told;
}

/* Sends what is pending of former writes; bytes that are told to be written by that are added to *total. */
static enum status write_former(struct tls_conn *conn, struct cursor *cursor, bool more, size_t *total)
{
    if (conn->withheld == 0) {
        conn_take_pending(conn);
        return conn_send_pending(conn, true);
    }
    enum status status = conn_send_pending(conn, more);
    if (status != STATUS_OK && status != STATUS_AGAIN)
        return status;
    size_t told = tell_written(conn);
    /* Who gives less than what was taken in before learns of the rest when it is asked for. */
    if (told > cursor->left) {
        conn->withheld += (uint32_t)(told - cursor->left);
        told = cursor->left;
    }
    skip(cursor, told);
    *total += told;
    return cursor->left != 0 ? status : STATUS_AGAIN;
}

enum status conn_write(struct sock *sock, const struct iovec *vector, int count, bool more, size_t *ret_sent)
{
    struct tls_conn *conn = sock->layer_state;
    struct cursor cursor = cursor_of(vector, count);
    size_t total = 0;
    assert(cursor.left > 0 && conn->established);
    if (conn->failed)
        return STATUS_IO_ERROR;
    if (!sock->writable)
        return STATUS_AGAIN;
    enum status status = write_former(conn, &cursor, more, &total);
    while (status == STATUS_OK && cursor.left != 0) {
        size_t taken = 0;
        status = encrypt(conn, &cursor, &taken);
        if (status != STATUS_OK)
            break;
        conn->withheld = (uint32_t)taken;
        status = conn_leave_sending(conn, more || cursor.left != 0);
        if (status == STATUS_OK || status == STATUS_AGAIN)
            total += tell_written(conn);
    }
    if (status != STATUS_OK && status != STATUS_AGAIN)
        return status;
    *ret_sent = total;
    return total != 0 ? STATUS_OK : STATUS_AGAIN;
}
