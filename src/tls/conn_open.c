/* Owns the opening of our own records: from the socket through the worker's buffer into the user's. What one read does not
 * take stays with the connection, opened or not; mostly that is nothing. */
#include "tls/conn_state.h"

/* Records in a row that carry nothing: more of them only keep us busy. */
#define BARREN_MAX 32
#define KEY_UPDATE 24               /* RFC 8446 4.6.3 */

/* Bytes that came: `plain` opened ones, `skip` to step over behind them (what is left of their record), then records. */
struct window {
    char *bytes;
    size_t at, plain, skip, used;
    bool kept;                      /* it is the connection's chunk, not the worker's buffer */
};

static struct window window_of(const struct tls_conn *conn)
{
    if (conn->input == NULL)
        return (struct window){.bytes = conn->worker->tls->in};
    return (struct window){.bytes = conn->input->data, .at = conn->input_at, .plain = conn->plain, .skip = conn->skip,
                           .used = conn->input->used, .kept = true};
}

static void drop_input(struct tls_conn *conn)
{
    if (conn->input != NULL)
        chunk_unref(conn->input);
    conn->input = NULL;
    conn->input_at = conn->plain = conn->skip = 0;
}

/* What is left over goes into a chunk, without what is to be stepped over. */
static bool keep_rest(struct tls_conn *conn, const struct window *window)
{
    size_t behind = window->at + window->plain + window->skip;
    size_t raw = window->used - behind, size = window->plain + raw;
    struct chunk_pool *pool = &conn->worker->chunks;
    bool pooled = size > CHUNK_LARGE_SIZE / 4 && size <= CHUNK_LARGE_SIZE - sizeof(struct chunk);
    struct chunk *chunk = pooled ? chunk_new(pool, true) : chunk_new_sized(pool, size);
    if (chunk == NULL)
        return false;
    memcpy(chunk->data, window->bytes + window->at, window->plain);
    memcpy(chunk->data + window->plain, window->bytes + behind, raw);
    chunk->used = (uint32_t)size;
    conn->input = chunk;
    conn->input_at = conn->skip = 0;
    conn->plain = (uint32_t)window->plain;
    return true;
}

static bool close_window(struct tls_conn *conn, const struct window *window)
{
    bool empty = window->at + window->plain + window->skip == window->used && window->plain == 0;
    if (empty) {
        drop_input(conn);
        return true;
    }
    if (!window->kept)
        return keep_rest(conn, window);
    conn->input_at = (uint32_t)window->at;
    conn->plain = (uint32_t)window->plain;
    conn->skip = (uint32_t)window->skip;
    return true;
}

/* More of the record that is not whole; it is at the window's beginning then. */
static enum status receive(struct tls_conn *conn, struct window *window, size_t size)
{
    struct tls_worker *worker = conn->worker->tls;
    size_t held = window->used - window->at, got = 0;
    if (!conn->sock->readable)
        return STATUS_AGAIN;
    if (held != 0)
        memmove(worker->in, window->bytes + window->at, held);
    if (window->kept)
        drop_input(conn);
    *window = (struct window){.bytes = worker->in, .used = held};
    /* What the user has room for, and a whole record at least. */
    size_t wanted = size + (size / RECORD_BYTES + 1) * RECORD_EXTRA;
    if (wanted < RECORD_WIRE_MAX)
        wanted = RECORD_WIRE_MAX;
    if (wanted > sizeof(worker->in))
        wanted = sizeof(worker->in);
    enum status status = sock_read_plain(conn->sock, worker->in + held, wanted - held, &got);
    window->used += got;
    return status;
}

/* ---- what records say ---- */

static enum status refuse(struct tls_conn *conn, enum record_alert why)
{
    conn_seal_alert(conn, true, why);
    conn->failed = true;
    return STATUS_IO_ERROR;
}

static enum status on_alert(struct tls_conn *conn, struct str alert)
{
    if (alert.len != 2)
        return refuse(conn, ALERT_DECODE_ERROR);
    if (alert.data[1] == ALERT_CLOSE_NOTIFY)
        return STATUS_END;
    if (alert.data[1] == ALERT_USER_CANCELED) /* a close_notify follows (RFC 8446 6.1) */
        return STATUS_OK;
    conn->failed = true;
    return STATUS_IO_ERROR;
}

/* A client has nothing else to say behind its handshake than KeyUpdate, and that ends its record, because the keys change
 * behind it; but it may come in pieces (RFC 8446 4.6.3, 5.1). */
static enum status on_handshake(struct tls_conn *conn, struct str piece)
{
    static const uint8_t update[] = {KEY_UPDATE, 0, 0, 1};
    struct tls_own *own = conn->own;
    size_t held = own->update_len + piece.len;
    if (held > sizeof(own->update))
        return refuse(conn, ALERT_UNEXPECTED_MESSAGE);
    memcpy(own->update + own->update_len, piece.data, piece.len);
    own->update_len = (uint8_t)held;
    if (memcmp(own->update, update, held < sizeof(update) ? held : sizeof(update)) != 0)
        return refuse(conn, ALERT_UNEXPECTED_MESSAGE);
    if (held < sizeof(own->update))
        return STATUS_OK;
    own->update_len = 0;
    bool requested = own->update[sizeof(update)] == 1;
    if (!requested && own->update[sizeof(update)] != 0)
        return refuse(conn, ALERT_ILLEGAL_PARAMETER);
    if (!record_keys_update(&own->read, &conn->worker->tls->engine) || (requested && !conn_seal_key_update(conn)))
        return refuse(conn, ALERT_INTERNAL_ERROR);
    return STATUS_OK;
}

/* Between the pieces of a message nothing else may come, and neither those nor alerts are empty (RFC 8446 5.1). */
static enum status on_message(struct tls_conn *conn, enum record_type type, struct str content)
{
    bool interrupts = type != RECORD_HANDSHAKE && conn->own->update_len != 0;
    if (interrupts || (type != RECORD_DATA && content.len == 0))
        return refuse(conn, ALERT_UNEXPECTED_MESSAGE);
    switch (type) {
    case RECORD_DATA:
        return STATUS_OK;
    case RECORD_ALERT:
        return on_alert(conn, content);
    case RECORD_HANDSHAKE:
        return on_handshake(conn, content);
    default:
        return refuse(conn, ALERT_UNEXPECTED_MESSAGE);
    }
}

/* Opens the whole record of `len` bytes that comes next: into the user's buffer if that has the room, else in its place. */
static enum status open_record(struct tls_conn *conn, struct window *window, size_t len, char *buffer, size_t room,
                               size_t *ret_got)
{
    struct tls_own *own = conn->own;
    struct str record = str_of(window->bytes + window->at, len);
    bool direct = room >= len - RECORD_HEADER - RECORD_TAG;
    char *out = direct ? buffer : window->bytes + window->at + RECORD_HEADER;
    enum record_type type;
    enum record_alert alert;
    size_t got;
    if (!record_open(&conn->worker->tls->engine, &own->read, record, out, &type, &got, &alert))
        return refuse(conn, alert);
    own->barren = type == RECORD_DATA && got != 0 ? 0 : own->barren + 1;
    if (own->barren > BARREN_MAX)
        return refuse(conn, ALERT_UNEXPECTED_MESSAGE);
    enum status status = on_message(conn, type, str_of(out, got));
    if (type == RECORD_DATA && direct)
        *ret_got = got;
    if (type == RECORD_DATA && !direct && got != 0) {
        window->at += RECORD_HEADER;
        window->plain = got;
        window->skip = len - RECORD_HEADER - got;
    } else {
        window->at += len;
    }
    return status;
}

/* ---- reading ---- */

static size_t take_plain(struct window *window, char *buffer, size_t room)
{
    size_t len = window->plain < room ? window->plain : room;
    memcpy(buffer, window->bytes + window->at, len);
    window->at += len;
    window->plain -= len;
    if (window->plain == 0) {
        window->at += window->skip;
        window->skip = 0;
    }
    return len;
}

/* Fills the buffer from what came; receives once, and again only while that gave nothing. */
static enum status fill(struct tls_conn *conn, struct window *window, char *buffer, size_t size, size_t *total)
{
    while (*total < size) {
        if (window->plain != 0) {
            *total += take_plain(window, buffer + *total, size - *total);
            continue;
        }
        struct str raw = str_of(window->bytes + window->at, window->used - window->at);
        size_t len = record_length(raw), got = 0;
        if (len == SIZE_MAX)
            return refuse(conn, ALERT_UNEXPECTED_MESSAGE);
        bool whole = len != 0 && len <= raw.len;
        if (!whole && *total != 0)
            return STATUS_OK;
        enum status status = whole ? open_record(conn, window, len, buffer + *total, size - *total, &got)
                                   : receive(conn, window, size);
        if (status != STATUS_OK)
            return status;
        *total += got;
    }
    return STATUS_OK;
}

enum status conn_open(struct tls_conn *conn, char *buffer, size_t size, size_t *ret_got)
{
    struct window window = window_of(conn);
    size_t total = 0;
    enum status status = fill(conn, &window, buffer, size, &total);
    *ret_got = total;
    if (status == STATUS_OK || status == STATUS_AGAIN) {
        if (close_window(conn, &window))
            return status;
        conn->failed = true;
        return STATUS_IO_ERROR;
    }
    if (status == STATUS_IO_ERROR)
        conn->failed = true;
    drop_input(conn);
    return status;
}
