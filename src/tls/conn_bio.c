/* Owns the one BIO of a worker: the library's way to the socket of the connection that is current. It never decides
 * anything: no memory and no room are answered by "retry", what the socket says is passed on. */
#include "tls/conn_state.h"

#include <pthread.h>
#include <stdlib.h>

static BIO_METHOD *method;

static size_t take_input(struct tls_conn *conn, char *out, size_t size)
{
    struct chunk *input = conn->input;
    size_t len = input->used - conn->input_at;
    if (len > size)
        len = size;
    memcpy(out, input->data + conn->input_at, len);
    conn->input_at += (uint32_t)len;
    if (conn->input_at == input->used) {
        conn->input = NULL;
        chunk_unref(input);
    }
    return len;
}

/* A client's handshake is read ahead here, not in the library: what came behind it is then still there when it is done. */
static enum status read_ahead(struct tls_worker *worker, struct tls_conn *conn, char *out, size_t size, size_t *ret_got)
{
    if (worker->in_at == worker->in_used) {
        worker->in_at = worker->in_used = 0;
        enum status status = sock_read_plain(conn->sock, worker->in, sizeof(worker->in), &worker->in_used);
        if (status != STATUS_OK)
            return status;
    }
    size_t len = worker->in_used - worker->in_at;
    if (len > size)
        len = size;
    memcpy(out, worker->in + worker->in_at, len);
    worker->in_at += len;
    *ret_got = len;
    return STATUS_OK;
}

bool conn_keep_input(struct tls_conn *conn)
{
    struct tls_worker *worker = conn->worker->tls;
    size_t len = worker->in_used - worker->in_at;
    const char *bytes = worker->in + worker->in_at;
    worker->in_at = worker->in_used = 0;
    if (len == 0)
        return true;
    conn->input = chunk_new_sized(&conn->worker->chunks, len);
    if (conn->input == NULL)
        return false;
    memcpy(conn->input->data, bytes, len);
    conn->input->used = (uint32_t)len;
    conn->input_at = 0;
    return true;
}

static int bio_read(BIO *bio, char *out, size_t size, size_t *ret_got)
{
    struct tls_worker *worker = BIO_get_data(bio);
    struct tls_conn *conn = worker->current;
    BIO_clear_retry_flags(bio);
    if (conn->input != NULL) {
        *ret_got = take_input(conn, out, size);
        return 1;
    }
    bool ahead = conn->server && !conn->established;
    switch ((int)(ahead ? read_ahead(worker, conn, out, size, ret_got) : sock_read_plain(conn->sock, out, size, ret_got))) {
    case STATUS_OK:
        return 1;
    case STATUS_AGAIN:
        BIO_set_retry_read(bio);
        break;
    case STATUS_END:
        conn->ended = true;
        break;
    default:
        conn->broken = true;
    }
    *ret_got = 0;
    return 0;
}

static int bio_write(BIO *bio, const char *bytes, size_t size, size_t *ret_written)
{
    struct tls_worker *worker = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    size_t room = sizeof(worker->out) - worker->used;
    size_t len = size < room ? size : room;
    *ret_written = len;
    if (len == 0) {
        BIO_set_retry_write(bio);
        return 0;
    }
    memcpy(worker->out + worker->used, bytes, len);
    worker->used += len;
    return 1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    struct tls_worker *worker = BIO_get_data(bio);
    switch (command) {
    case BIO_CTRL_FLUSH: /* the connection sends when the library is through */
        return 1;
    case BIO_CTRL_EOF:
        return worker->current != NULL && worker->current->ended;
    default:
        return 0;
    }
}

/* ---- the worker's buffers ---- */

/* NULL stays NULL: then no connection is made. */
static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "worker");
    if (method == NULL)
        return;
    BIO_meth_set_read_ex(method, bio_read);
    BIO_meth_set_write_ex(method, bio_write);
    BIO_meth_set_ctrl(method, bio_ctrl);
}

struct tls_worker *conn_worker(struct worker *worker)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (worker->tls != NULL)
        return worker->tls;
    pthread_once(&once, make_method);
    struct tls_worker *made = method != NULL ? malloc(sizeof(*made)) : NULL;
    if (made == NULL)
        return NULL;
    made->current = NULL;
    made->used = made->in_at = made->in_used = 0;
    made->bio = BIO_new(method);
    if (made->bio == NULL || !record_engine_init(&made->engine)) {
        BIO_free(made->bio);
        free(made);
        return NULL;
    }
    BIO_set_data(made->bio, made);
    BIO_set_init(made->bio, 1);
    worker->tls = made;
    return made;
}

void tls_worker_release(struct worker *worker)
{
    if (worker->tls == NULL)
        return;
    BIO_free(worker->tls->bio);
    record_engine_release(&worker->tls->engine);
    free(worker->tls);
    worker->tls = NULL;
}

struct tls_conn *conn_of_ssl(const SSL *ssl)
{
    struct tls_worker *worker = BIO_get_data(SSL_get_rbio(ssl));
    return worker->current;
}
