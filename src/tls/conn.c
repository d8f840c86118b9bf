/* Owns a TLS connection's life: put on a socket, the handshake, what was agreed, the end. */
#include "tls/conn.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "tls/conn_state.h"

/* ---- beginning ---- */

static void moved(struct sock *sock)
{
    ((struct tls_conn *)sock->layer_state)->sock = sock;
}

static struct tls_conn *put_on(struct worker *worker, struct sock *sock, SSL_CTX *context)
{
    struct tls_worker *buffers = conn_worker(worker);
    struct tls_conn *conn = buffers != NULL ? calloc(1, sizeof(*conn)) : NULL;
    SSL *ssl = conn != NULL ? SSL_new(context) : NULL;
    if (ssl == NULL || BIO_up_ref(buffers->bio) != 1) {
        SSL_free(ssl);
        free(conn);
        return NULL;
    }
    SSL_set_bio(ssl, buffers->bio, buffers->bio);
    *conn = (struct tls_conn){.ssl = ssl, .sock = sock, .worker = worker, .flush = {.run = conn_flush_later}};
    sock->layer = &conn_layer;
    sock->layer_state = conn;
    return conn;
}

/* Everything but the struct. */
static void let_go(struct tls_conn *conn)
{
    SSL_free(conn->ssl);
    conn_own_free(conn->own);
    policy_unref(conn->policy); /* behind the SSL, which uses its context */
    free(conn->subject);
    if (conn->input != NULL)
        chunk_unref(conn->input);
    if (conn->pending != NULL)
        chunk_unref(conn->pending);
    if (conn->worker->tls->current == conn)
        conn->worker->tls->current = NULL;
    if (schedule_client.conn == conn)
        schedule_client = (struct schedule_client){0};
}

static void take_off(struct tls_conn *conn)
{
    conn->sock->layer = NULL;
    conn->sock->layer_state = NULL;
    let_go(conn);
    free(conn);
}

/* A session that was begun with one certificate is not resumed where another is shown: what two hosts agree on stays theirs. */
static bool show(struct tls_conn *conn, const struct certificate *certificate)
{
    unsigned char context[sizeof(conn->policy->session_context)];
    for (size_t i = 0; i < sizeof(context); i++)
        context[i] = conn->policy->session_context[i] ^ certificate->sha256[i];
    return SSL_set_session_id_context(conn->ssl, context, sizeof(context)) == 1 &&
           SSL_use_cert_and_key(conn->ssl, certificate->leaf, certificate->key, certificate->chain, 1) == 1;
}

static struct tls_conn *accept_on(struct worker *worker, struct sock *sock, const struct tls_policy *policy,
                                  struct certificate *certificate, struct chunk *input, uint32_t input_at)
{
    struct tls_conn *conn = put_on(worker, sock, policy->context);
    if (conn == NULL) {
        if (input != NULL)
            chunk_unref(input);
        return NULL;
    }
    conn->server = true;
    conn->policy = policy_ref(policy);
    conn->input = input;
    conn->input_at = input_at;
    if (input != NULL && input_at == input->used) {
        conn->input = NULL;
        chunk_unref(input);
    }
    SSL_set_accept_state(conn->ssl);
    if (certificate != NULL && !show(conn, certificate)) {
        take_off(conn);
        return NULL;
    }
    return conn;
}

struct tls_conn *tls_accept(struct worker *worker, struct sock *sock, const struct tls_policy *policy,
                            struct certificate *certificate, struct chunk *input, uint32_t input_at)
{
    return accept_on(worker, sock, policy, certificate, input, input_at);
}

struct tls_conn *tls_accept_challenge(struct worker *worker, struct sock *sock, const struct tls_policy *policy,
                                      struct certificate *certificate, struct chunk *input, uint32_t input_at)
{
    struct tls_conn *conn = accept_on(worker, sock, policy, certificate, input, input_at);
    if (conn != NULL) {
        conn->challenge = true;
        SSL_set_verify(conn->ssl, SSL_VERIFY_NONE, NULL);
    }
    return conn;
}

/* The name for SNI and verification. An address is verified but not sent (RFC 6066 3). */
static bool expect_name(struct tls_conn *conn, const struct tls_client *client, struct str name)
{
    char text[256];
    struct in6_addr address;
    if (name.len >= sizeof(text))
        return false;
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    bool is_address = inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
    if (!is_address && client->sni && name.len != 0 && SSL_set_tlsext_host_name(conn->ssl, text) != 1)
        return false;
    if (!client->verify || client->peer_cert_sans.count != 0)
        return true;
    X509_VERIFY_PARAM *expected = SSL_get0_param(conn->ssl);
    if (is_address)
        return X509_VERIFY_PARAM_set1_ip_asc(expected, text) == 1;
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(expected, text, name.len) == 1;
}

struct tls_conn *tls_connect(struct worker *worker, struct sock *sock, const struct tls_client *client, struct str name,
                             SSL_SESSION *session, bool h2)
{
    static const unsigned char offer[] = "\002h2\010http/1.1";
    static const unsigned skipped = sizeof("\002h2") - 1;
    struct tls_conn *conn = put_on(worker, sock, client->context);
    if (conn != NULL) {
        conn->client = client;
        SSL_set_connect_state(conn->ssl);
        const unsigned char *from = h2 ? offer : offer + skipped;
        unsigned len = (unsigned)(sizeof(offer) - 1) - (h2 ? 0 : skipped);
        struct str expected = str_empty(client->server_name) ? name : client->server_name;
        bool ready = ((!client->alpn && !h2) || SSL_set_alpn_protos(conn->ssl, from, len) == 0) && expect_name(conn, client, expected) &&
                     (session == NULL || SSL_set_session(conn->ssl, session) == 1);
        if (!ready) {
            take_off(conn);
            conn = NULL;
        }
    }
    SSL_SESSION_free(session);
    return conn;
}

bool tls_show(struct tls_conn *conn, const struct certificate *certificate)
{
    return SSL_use_cert_and_key(conn->ssl, certificate->leaf, certificate->key, certificate->chain, 1) == 1;
}

/* ---- the handshake ---- */

static enum status establish(struct tls_conn *conn)
{
    const unsigned char *protocol = NULL;
    unsigned len = 0;
    conn->established = true;
    SSL_get0_alpn_selected(conn->ssl, &protocol, &len);
    conn->h2 = len == 2 && memcmp(protocol, "h2", 2) == 0;
    conn->alpn = len != 0;
    const struct tls_client *client = conn->client;
    conn->client = NULL;
    if (client != NULL && !client_accepts_sans(client, SSL_get0_peer_certificate(conn->ssl))) {
        conn->failed = true;
        conn->failure = "none of peerCertSANs is in the server's certificate";
        return STATUS_UPSTREAM_UNTRUSTED;
    }
    bool tls13 = SSL_version(conn->ssl) == TLS1_3_VERSION;
    if (conn->server && !conn_take_over(conn))
        SSL_set_read_ahead(conn->ssl, 1);
    conn_note_buffered(conn);
    /* The client waits for nothing in TLS 1.3: tickets leave with the response to the request that is there, or soon. */
    if (conn->server && tls13)
        return conn_leave_keeping(conn, !sock_may_read(conn->sock)) ? STATUS_OK : STATUS_CLIENT_TLS;
    (void)conn_leave_sending(conn, false);
    return STATUS_OK;
}

static enum status fail(struct tls_conn *conn)
{
    enum status status = conn_note_failure(conn);
    conn->worker->tls->in_at = conn->worker->tls->in_used = 0;
    (void)conn_leave_sending(conn, false); /* the alert that tells the peer */
    return status;
}

enum status tls_handshake(struct tls_conn *conn)
{
    if (conn->established && !conn->failed)
        return STATUS_OK;
    if (conn->failed)
        return conn->server ? STATUS_CLIENT_TLS : STATUS_UPSTREAM_TLS;
    for (;;) {
        enum status status = conn_send_pending(conn, false);
        if (status == STATUS_AGAIN)
            return STATUS_AGAIN;
        conn_enter(conn);
        ERR_clear_error();
        int result = status == STATUS_OK ? SSL_do_handshake(conn->ssl) : 0;
        int error = status == STATUS_OK ? SSL_get_error(conn->ssl, result) : SSL_ERROR_SYSCALL;
        if (!conn_keep_input(conn))
            return fail(conn);
        if (result == 1)
            return establish(conn);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
            return fail(conn);
        status = conn_leave_sending(conn, false);
        if (status != STATUS_OK && status != STATUS_AGAIN)
            return fail(conn);
        if (error == SSL_ERROR_WANT_READ)
            return STATUS_AGAIN;
    }
}

const char *tls_failure(const struct tls_conn *conn)
{
    return conn->failure != NULL ? conn->failure : "";
}

void tls_send_alert(struct sock *sock, uint8_t description)
{
    unsigned char record[] = {21, 3, 3, 0, 2, 2, description};
    struct iovec vector = {.iov_base = record, .iov_len = sizeof(record)};
    size_t sent;
    (void)sock_write_plain(sock, &vector, 1, false, &sent);
}

/* ---- the end ---- */

static void say_goodbye(struct tls_conn *conn)
{
    if (!conn->established || conn->failed || conn->goodbye || conn->sock->broken)
        return;
    conn->goodbye = true;
    conn_enter(conn);
    if (conn->ssl == NULL) {
        conn_seal_alert(conn, false, ALERT_CLOSE_NOTIFY);
    } else {
        ERR_clear_error();
        (void)SSL_shutdown(conn->ssl);
    }
    (void)conn_leave_sending(conn, false);
}

static void end_direction(struct sock *sock)
{
    say_goodbye(sock->layer_state);
}

static void release(struct sock *sock, bool orderly)
{
    struct tls_conn *conn = sock->layer_state;
    if (orderly && sock->writable)
        say_goodbye(conn);
    /* Whatever the end was like, the session may be resumed: the library would forget it otherwise. */
    if (conn->ssl != NULL && conn->established && !conn->failed)
        SSL_set_shutdown(conn->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    let_go(conn);
    conn->released = true;
    if (!conn->flush.queued)
        free(conn);
}

const struct sock_layer conn_layer = {
    .read = conn_read, .write = conn_write, .shutdown = end_direction, .release = release, .moved = moved};
