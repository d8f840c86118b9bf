#include "tls/pair.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls/tickets.h"

/* ---- certificates ---- */

static void extend(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static struct str pem_text(struct arena *arena, BIO *bio)
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(bio, &bytes);
    struct str text = arena_str(arena, str_of(bytes, (size_t)len));
    BIO_free(bio);
    return text;
}

void issue(struct arena *arena, const struct wish *wish, struct issued *ret_issued)
{
    static long serial = 1;
    EVP_PKEY *key = wish->rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    assert_non_null(key);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)wish->name, -1, -1, 0);
    X509 *issuer = wish->issuer != NULL ? wish->issuer->certificate : certificate;
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
    X509_gmtime_adj(X509_getm_notAfter(certificate), wish->expired ? -3600 : 3600);
    X509_set_pubkey(certificate, key);
    if (wish->authority)
        extend(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE");
    if (wish->sans != NULL)
        extend(certificate, issuer, NID_subject_alt_name, wish->sans);
    assert_true(X509_sign(certificate, wish->issuer != NULL ? wish->issuer->key : key, EVP_sha256()) > 0);
    BIO *pem = BIO_new(BIO_s_mem()), *key_pem = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(pem, certificate);
    PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL);
    *ret_issued = (struct issued){.certificate = certificate, .key = key, .pem = pem_text(arena, pem),
                                  .key_pem = pem_text(arena, key_pem)};
}

void issued_free(struct issued *issued)
{
    X509_free(issued->certificate);
    EVP_PKEY_free(issued->key);
}

struct certificate *certificate_of(const struct issued *issued)
{
    struct certificate *certificate = calloc(1, sizeof(*certificate));
    certificate->refs = 1;
    certificate->leaf = issued->certificate;
    certificate->key = issued->key;
    certificate->chain = sk_X509_new_null();
    return certificate;
}

void certificate_drop(struct certificate *certificate)
{
    sk_X509_free(certificate->chain);
    free(certificate);
}

/* ---- the two ends ---- */

static void note_event(struct sock *sock, unsigned events)
{
    container_of(sock, struct end, sock)->events |= events;
}

void pair_init(struct pair *pair)
{
    signal(SIGPIPE, SIG_IGN);
    memset(pair, 0, sizeof(*pair));
    assert_true(worker_init(&pair->worker, 0));
    sock_init(&pair->server.sock, &pair->worker.loop, note_event);
    sock_init(&pair->peer.sock, &pair->worker.loop, note_event);
    assert_true(tickets_init());
    arena_init(&pair->arena, ARENA_UNLIMITED);
    diag_init(&pair->diag, &pair->arena);
    issue(&pair->arena, &(struct wish){.name = "authority", .authority = true}, &pair->authority);
    issue(&pair->arena, &(struct wish){.name = "leaf", .sans = "DNS:a.example,IP:127.0.0.1,URI:spiffe://x/y",
                                       .issuer = &pair->authority}, &pair->leaf);
    pair->shown = certificate_of(&pair->leaf);
    pair->client_options.root_cas = (struct strs){.items = &pair->authority.pem, .count = 1};
}

void pair_compile(struct pair *pair)
{
    pair->policy = policy_new(&pair->options, S("default"), &pair->diag);
    pair->client = tls_client_new(&pair->client_options, &pair->arena, &pair->diag);
    if (pair->diag.errors != 0)
        fail_msg("%.*s", STR_ARGS(pair->diag.items[0].message));
    assert_non_null(pair->policy);
    assert_non_null(pair->client);
}

static void keep_session(void *owner, SSL_SESSION *session)
{
    struct pair *pair = owner;
    SSL_SESSION_free(pair->session);
    pair->session = session;
    pair->sessions++;
}

static void begin_end(struct pair *pair, struct end *end, int fd, int send_buffer)
{
    if (send_buffer != 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer));
    memset(end, 0, sizeof(*end));
    end->status = STATUS_AGAIN;
    sock_init(&end->sock, &pair->worker.loop, note_event);
    assert_true(sock_take(&end->sock, fd, false));
}

void pair_open(struct pair *pair, SSL_SESSION *session, bool h2, int send_buffer)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    begin_end(pair, &pair->server, fds[0], send_buffer);
    begin_end(pair, &pair->peer, fds[1], send_buffer);
    pair->server.conn = tls_accept(&pair->worker, &pair->server.sock, pair->policy, pair->shown, NULL, 0);
    pair->peer.conn = tls_connect(&pair->worker, &pair->peer.sock, pair->client, S("a.example"), session, h2);
    assert_non_null(pair->server.conn);
    assert_non_null(pair->peer.conn);
    tls_on_session(pair->peer.conn, keep_session, pair);
}

void pair_turn(struct pair *pair)
{
    loop_turn(&pair->worker.loop, 0);
}

static void shake_end(struct end *end)
{
    if (end->status != STATUS_AGAIN)
        return;
    end->status = tls_handshake(end->conn);
    snprintf(end->failure, sizeof(end->failure), "%s", tls_failure(end->conn));
}

void pair_shake(struct pair *pair)
{
    for (int i = 0; i < 200; i++) {
        shake_end(&pair->peer);
        shake_end(&pair->server);
        pair_turn(pair);
        if (pair->peer.status != STATUS_AGAIN && pair->server.status != STATUS_AGAIN)
            return;
    }
}

void pair_connect(struct pair *pair)
{
    pair_open(pair, NULL, true, 0);
    pair_shake(pair);
    if (pair->server.status != STATUS_OK)
        fail_msg("server: %s", tls_failure(pair->server.conn));
    if (pair->peer.status != STATUS_OK)
        fail_msg("client: %s", tls_failure(pair->peer.conn));
}

void pair_close(struct pair *pair)
{
    sock_close(&pair->peer.sock);
    sock_close(&pair->server.sock);
    pair_turn(pair);
}

void pair_release(struct pair *pair)
{
    pair_close(pair);
    SSL_SESSION_free(pair->session);
    policy_unref(pair->policy);
    tls_client_free(pair->client);
    certificate_drop(pair->shown);
    issued_free(&pair->leaf);
    issued_free(&pair->authority);
    tls_worker_release(&pair->worker);
    assert_int_equal(chunk_pool_in_use(&pair->worker.chunks), 0);
    diag_release(&pair->diag);
    arena_release(&pair->arena);
    worker_release(&pair->worker);
}

/* ---- bytes ---- */

static size_t read_some(struct end *to, char *out, size_t size)
{
    size_t got = 0;
    enum status status = sock_may_read(&to->sock) ? sock_read(&to->sock, out, size, &got) : STATUS_AGAIN;
    if (status == STATUS_AGAIN)
        return 0;
    assert_int_equal(status, STATUS_OK);
    assert_true(got > 0 && got <= size);
    return got;
}

void pair_pass(struct pair *pair, struct end *from, struct end *to, struct str bytes)
{
    char *out = malloc(bytes.len);
    size_t sent = 0, got = 0;
    for (int idle = 0; got < bytes.len && idle < 1000; idle++) {
        size_t now = 0;
        if (sent < bytes.len) {
            struct iovec vector = {(void *)(uintptr_t)(bytes.data + sent), bytes.len - sent};
            enum status status = sock_write(&from->sock, &vector, 1, false, &now);
            assert_true(status == STATUS_OK || status == STATUS_AGAIN);
            sent += status == STATUS_OK ? now : 0;
            assert_true(sent == bytes.len || !from->sock.writable);
        }
        pair_turn(pair);
        size_t here = read_some(to, out + got, bytes.len - got);
        got += here;
        if (here != 0)
            idle = 0;
    }
    assert_int_equal(sent, bytes.len);
    assert_int_equal(got, bytes.len);
    assert_memory_equal(out, bytes.data, bytes.len);
    free(out);
}
