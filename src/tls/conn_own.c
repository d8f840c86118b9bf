/* Owns the change from the library to our own records when a client's handshake of TLS 1.3 is done, and sealing behind it.
 *
 * The traffic secrets are known because the library derived them by tls/schedule.h. It has sent tickets under these secrets,
 * whose records are counted; it has read nothing behind the client's Finished, because the BIO gives it no more than it asks for. */
#include "tls/conn_state.h"

#include <stdlib.h>

/* ---- secrets ---- */

static struct tls_own *own_of(struct tls_conn *conn)
{
    if (conn->own != NULL)
        return conn->own;
    struct str name = str_from(SSL_get_servername(conn->ssl, TLSEXT_NAMETYPE_host_name));
    if (name.len > UINT8_MAX)
        return NULL;
    conn->own = calloc(1, sizeof(struct tls_own) + name.len + 1);
    if (conn->own == NULL)
        return NULL;
    conn->own->name_len = (uint8_t)name.len;
    if (name.len != 0)
        memcpy(conn->own->name, name.data, name.len);
    return conn->own;
}

void conn_note_secret(struct tls_conn *conn, bool reads, const uint8_t *secret, size_t size)
{
    struct tls_own *own = conn->server && !conn->established ? own_of(conn) : NULL;
    if (own == NULL || size > RECORD_SECRET_MAX)
        return;
    memcpy(reads ? own->read.secret : own->write.secret, secret, size);
    *(reads ? &own->read_secret : &own->write_secret) = true;
}

void conn_own_free(struct tls_own *own)
{
    if (own == NULL)
        return;
    record_keys_wipe(&own->read);
    record_keys_wipe(&own->write);
    X509_free(own->peer);
    sk_X509_pop_free(own->chain, X509_free);
    free(own->offer);
    free(own);
}

/* ---- the change ---- */

/* Records of the usual size may be sent (RFC 6066 4: a client may ask for smaller ones). */
static bool takes_whole_records(SSL *ssl)
{
    const SSL_SESSION *session = SSL_get_session(ssl);
    return session != NULL && SSL_SESSION_get_max_fragment_length(session) == TLSEXT_max_fragment_length_DISABLED;
}

/* Records that the library has sealed with the secret we go on with: the tickets. False: there is something else. */
static bool count_tickets(const struct tls_worker *worker, uint64_t *ret_count)
{
    struct str rest = str_of(worker->out, worker->used);
    for (*ret_count = 0; rest.len != 0; (*ret_count)++) {
        size_t len = record_length(rest);
        if (len == 0 || len > rest.len)
            return false;
        rest = str_from_index(rest, len);
    }
    return true;
}

static bool make_keys(struct tls_conn *conn)
{
    struct tls_own *own = conn->own;
    struct tls_worker *worker = conn->worker->tls;
    enum record_suite suite;
    uint64_t tickets;
    return own->read_secret && own->write_secret && SSL_has_pending(conn->ssl) == 0 && takes_whole_records(conn->ssl) &&
           record_suite_of(SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(conn->ssl)), &suite) &&
           count_tickets(worker, &tickets) &&
           record_keys_init(&own->read, &worker->engine, suite, own->read.secret, 0) &&
           record_keys_init(&own->write, &worker->engine, suite, own->write.secret, tickets);
}

/* What is asked later is taken over; false without memory. */
static bool keep_facts(struct tls_own *own, SSL *ssl)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    own->resumed = SSL_session_reused(ssl) == 1;
    own->offer = conn_keep_offer(ssl);
    own->group = (int)SSL_get_negotiated_group(ssl);
    own->verify_result = SSL_get_verify_result(ssl);
    own->peer = SSL_get1_peer_certificate(ssl);
    return own->peer == NULL || chain == NULL || (own->chain = X509_chain_up_ref(chain)) != NULL;
}

bool conn_take_over(struct tls_conn *conn)
{
    if (conn->own == NULL || !make_keys(conn) || !keep_facts(conn->own, conn->ssl)) {
        conn_own_free(conn->own);
        conn->own = NULL;
        return false;
    }
    SSL_set_shutdown(conn->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(conn->ssl);
    conn->ssl = NULL;
    return true;
}

/* ---- sealing ---- */

static bool seal(struct tls_conn *conn, enum record_type type, struct str plain)
{
    struct tls_worker *worker = conn->worker->tls;
    if (sizeof(worker->out) - worker->used < plain.len + RECORD_EXTRA)
        return false;
    size_t len = record_seal(&worker->engine, &conn->own->write, type, plain, worker->out + worker->used);
    worker->used += len;
    return len != 0;
}

bool conn_seal_key_update(struct tls_conn *conn)
{
    static const char update[] = {24, 0, 0, 1, 0}; /* key_update, update_not_requested (RFC 8446 4.6.3) */
    return seal(conn, RECORD_HANDSHAKE, str_of(update, sizeof(update))) &&
           record_keys_update(&conn->own->write, &conn->worker->tls->engine);
}

bool conn_seal(struct tls_conn *conn, struct str plain)
{
    if (conn->own->write.sequence >= RECORD_SEQUENCE_MAX && !conn_seal_key_update(conn))
        return false;
    return seal(conn, RECORD_DATA, plain);
}

void conn_seal_alert(struct tls_conn *conn, bool fatal, enum record_alert description)
{
    char alert[] = {fatal ? 2 : 1, (char)description};
    (void)seal(conn, RECORD_ALERT, str_of(alert, sizeof(alert)));
}
