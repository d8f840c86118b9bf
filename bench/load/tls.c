#include "tls.h"

#include "connection.h"
#include "plan.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static SSL_CTX *context;
static SSL_SESSION *first; // for connections that have no ticket of their own yet
static const char *alpn;

__attribute__((noreturn)) static void give_up(const char *what)
{
    unsigned long error = ERR_peek_error();
    const char *reason = ERR_reason_error_string(error);
    fprintf(stderr, "load: %s: %s\n", what, error && reason ? reason : strerror(errno));
    exit(1);
}

static SSL *attach(int fd)
{
    SSL *ssl = SSL_new(context);
    if (!ssl || SSL_set_fd(ssl, fd) != 1 || SSL_set_tlsext_host_name(ssl, plan.sni) != 1 ||
        SSL_set_alpn_protos(ssl, (const unsigned char *)alpn, (unsigned)strlen(alpn)) != 0)
        give_up("TLS");
    SSL_set_connect_state(ssl);
    return ssl;
}

// Keeps what the next handshake of `c` offers: the last ticket that came, or, from a server that does
// not renew it, the one that was offered this time. (A client cache of OpenSSL's would use a ticket
// once only.)
static void keep_ticket(struct connection *c)
{
    if (!SSL_SESSION_is_resumable(SSL_get0_session(c->ssl)))
        return;
    SSL_SESSION_free(c->session);
    c->session = SSL_get1_session(c->ssl);
}

void tls_detach(struct connection *c)
{
    if (plan.handshake == HANDSHAKE_RESUMED)
        keep_ticket(c);
    // As if both had said goodbye: else OpenSSL holds the connection's session for a bad one.
    SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(c->ssl);
    c->ssl = NULL;
}

// One whole request over a socket that blocks, for its ticket.
static SSL_SESSION *get_ticket(void)
{
    static struct connection c;
    static char nowhere[16 << 10];
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (fd < 0 || connect(fd, (const struct sockaddr *)&plan.address, sizeof(plan.address)) < 0)
        give_up("the first connection");
    c.ssl = attach(fd);
    const struct request_bytes *request = &plan.variants[0];
    ERR_clear_error();
    if (SSL_connect(c.ssl) != 1 || SSL_write(c.ssl, request->bytes, (int)request->length) <= 0)
        give_up("the first TLS handshake");
    while (SSL_read(c.ssl, nowhere, sizeof(nowhere)) > 0)
        ;
    tls_detach(&c);
    close(fd);
    if (!c.session) {
        fprintf(stderr, "load: the server gave no ticket\n");
        exit(1);
    }
    return c.session;
}

void tls_prepare(void)
{
    alpn = plan.streams ? "\x02h2" : "\x08http/1.1";
    context = SSL_CTX_new(TLS_client_method());
    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1 ||
        SSL_CTX_set1_groups_list(context, "X25519") != 1)
        give_up("TLS");
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (plan.hold)
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1); // a record with one read, not two
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (plan.handshake == HANDSHAKE_RESUMED)
        first = get_ticket();
}

void tls_attach(struct connection *c)
{
    c->ssl = attach(c->fd);
    if (first && SSL_set_session(c->ssl, c->session ? c->session : first) != 1)
        give_up("TLS resumption");
}

enum tls_progress tls_shake_hands(struct connection *c)
{
    ERR_clear_error();
    int result = SSL_do_handshake(c->ssl);
    if (result != 1) {
        // It never waits for room to write: a client's flights are small.
        return SSL_get_error(c->ssl, result) == SSL_ERROR_WANT_READ ? TLS_AGAIN : TLS_FAILED;
    }
    const unsigned char *chosen;
    unsigned length;
    SSL_get0_alpn_selected(c->ssl, &chosen, &length);
    if (plan.streams && (length != 2 || memcmp(chosen, "h2", 2) != 0))
        return TLS_FAILED;
    bool resumed = SSL_session_reused(c->ssl);
    return plan.handshake == HANDSHAKE_RESUMED && !resumed ? TLS_NOT_RESUMED : TLS_DONE;
}

// What recv() or send() would have said for `result`.
static ssize_t outcome(const struct connection *c, int result)
{
    if (result > 0)
        return result;
    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;
    default:
        errno = ECONNRESET;
        return -1;
    }
}

ssize_t tls_read(struct connection *c, void *buffer, size_t size)
{
    ERR_clear_error();
    return outcome(c, SSL_read(c->ssl, buffer, (int)size));
}

ssize_t tls_write(struct connection *c, const void *bytes, size_t size)
{
    ERR_clear_error();
    ssize_t n = outcome(c, SSL_write(c->ssl, bytes, (int)size));
    if (n == 0)
        errno = ECONNRESET;
    return n == 0 ? -1 : n;
}

bool tls_has_more(const struct connection *c)
{
    return SSL_has_pending(c->ssl);
}
