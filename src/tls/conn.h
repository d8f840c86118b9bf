/* TLS on a connected socket: OpenSSL between a struct sock and its user's bytes (struct sock_layer). After tls_handshake said
 * OK, sock_read and sock_write move plain bytes; before, they must not be used.
 *
 * Records are encrypted into a buffer of the worker and leave by one send as far as the kernel takes them; what it does not
 * take is kept, and the plain bytes in it count as written when they are gone. An idle connection holds no buffers.
 * Session tickets and other messages of the library leave with the first response, or at the end of the turn.
 * Threading: the worker's. Ownership: the layer belongs to its socket: sock_close lets go of it (after a close_notify),
 * sock_move takes it along. */
#ifndef TLS_CONN_H
#define TLS_CONN_H

#include <openssl/ssl.h>

#include "base/chunkq.h"
#include "net/sock.h"
#include "net/worker.h"
#include "tls/certificate.h"
#include "tls/policy.h"

struct tls_conn;
struct tls_client;                  /* tls/client.h */

/* Puts TLS on an accepted socket. `input` (a reference that is taken over; may be NULL) holds what was read of the client's
 * bytes already. `certificate`: what to show (NULL: none, the handshake will fail). NULL without memory. */
struct tls_conn *tls_accept(struct worker *worker, struct sock *sock, const struct tls_policy *policy,
                            struct certificate *certificate, struct chunk *input, uint32_t input_at);
/* The same for a certificate of TLS-ALPN-01 (RFC 8737): only a client that offers acme-tls/1 and nothing else gets through,
 * no certificate is asked of it, and nothing is spoken afterwards. */
struct tls_conn *tls_accept_challenge(struct worker *worker, struct sock *sock, const struct tls_policy *policy,
                                      struct certificate *certificate, struct chunk *input, uint32_t input_at);
/* Puts TLS on a connected socket to a server. `name`: for SNI and verification (a DNS name or an address). `session`: to be
 * resumed, a reference that is taken over; NULL: none. `h2`: offer HTTP/2 beside HTTP/1.1. */
struct tls_conn *tls_connect(struct worker *worker, struct sock *sock, const struct tls_client *client, struct str name,
                             SSL_SESSION *session, bool h2);
/* Before the handshake with a server: this certificate is shown, if the server asks for one. False: the library refuses it. */
bool tls_show(struct tls_conn *conn, const struct certificate *certificate);
/* Goes on with the handshake: on each event of the socket. OK: done; AGAIN; else CLIENT_TLS, or UPSTREAM_TLS and
 * UPSTREAM_UNTRUSTED; tls_failure says more. */
enum status tls_handshake(struct tls_conn *conn);
/* Why the handshake failed, for logs: "the client closed", "no shared cipher", "certificate has expired"; a literal, or text
 * that lives until the next failure on this worker. */
const char *tls_failure(const struct tls_conn *conn);
/* That of a socket; NULL: it is plain. */
struct tls_conn *tls_of(const struct sock *sock);

/* After the handshake. Texts are the library's literals, or live as long as the connection. */
bool tls_chose_h2(const struct tls_conn *conn);
bool tls_resumed(const struct tls_conn *conn);
const char *tls_version_text(const struct tls_conn *conn);      /* "1.3": Traefik's form */
const char *tls_cipher_text(const struct tls_conn *conn);       /* "TLS_AES_128_GCM_SHA256" */
const char *tls_cipher_name(const struct tls_conn *conn);       /* the library's: "ECDHE-RSA-AES128-GCM-SHA256" */
const char *tls_group_text(const struct tls_conn *conn);        /* of the key exchange: "X25519"; "" where there was none */
const char *tls_alpn_text(const struct tls_conn *conn);         /* "h2", "http/1.1"; "" where nothing was agreed on */
/* What the client offered, with ':' between, what the library does not know as "0x1a2b"; the session's id in hexadecimal digits. For
 * connections whose handshake ended after tls_keep_offers, else perhaps empty. */
struct str tls_offered_suites(const struct tls_conn *conn, struct arena *arena);
struct str tls_offered_groups(const struct tls_conn *conn, struct arena *arena);
struct str tls_session_id(const struct tls_conn *conn, struct arena *arena);
/* From now on, on all threads: the three above will be asked for. */
void tls_keep_offers(void);
/* Version and cipher in one number, for counting, and their texts as above; the latter on any thread. */
uint32_t tls_agreed(const struct tls_conn *conn);
const char *tls_agreed_version(uint32_t agreed);
const char *tls_agreed_cipher(uint32_t agreed);                 /* "" for one that the library does not know */
struct str tls_server_name(const struct tls_conn *conn);        /* that the client asked for; may be empty */
/* The policy that it was accepted with, there as long as the connection although its graph may be gone; NULL: a client's. */
const struct tls_policy *tls_policy_of(const struct tls_conn *conn);
struct str tls_policy_name(const struct tls_conn *conn);
/* The peer's certificate and chain; NULL: it showed none. Borrowed. */
X509 *tls_peer_certificate(const struct tls_conn *conn);
STACK_OF(X509) *tls_peer_chain(const struct tls_conn *conn);
/* What verifying the peer's certificate gave: X509_V_OK, also where it showed none. */
long tls_verify_result(const struct tls_conn *conn);
/* "CN=client" of the peer's certificate, made once; empty: none. */
struct str tls_peer_subject(struct tls_conn *conn);
/* For clients, set before the handshake: called when the server gives a new ticket; the session is the callee's. The socket
 * must not be closed by it. */
void tls_on_session(struct tls_conn *conn, void (*on_session)(void *owner, SSL_SESSION *session), void *owner);
/* A fatal alert instead of a handshake (RFC 8446 6.2), for a client that is refused before it began. */
void tls_send_alert(struct sock *sock, uint8_t description);

/* Buffers of a worker, made with the first connection. */
void tls_worker_release(struct worker *worker);

#endif
