/* What a TLS connection holds, for the files that make it up (conn*.c). Nobody else includes this.
 *
 * The library's reads and writes go through one BIO for each worker, not one for each connection: every call into the
 * library is prefaced by conn_enter, which says whose socket the BIO stands for. Ciphertext collects in the worker's
 * buffer while such a call runs, and the buffer is empty between two of them: conn_leave_sending sends it, conn_leave_keeping
 * puts it aside with the connection.
 *
 *     library   shaking hands; afterwards towards servers, and with clients of TLS 1.2 and before
 *       |       conn_take_over: a client's handshake of TLS 1.3 is done. Its traffic secrets were told by the library, the
 *       |       SSL is freed, and with it 14 KB
 *     own       records are opened and sealed by tls/record.h (conn->ssl is NULL) */
#ifndef TLS_CONN_STATE_H
#define TLS_CONN_STATE_H

#include "tls/client.h"
#include "tls/conn.h"
#include "tls/record.h"
#include "tls/schedule.h"

/* What encryption adds at most, to as many records as the smallest fragments that a client may ask for (RFC 6066 4). */
#define RECORD_COST ((size_t)4096)
#define OUT_RECORDS 4
#define OUT_BYTES (OUT_RECORDS * (RECORD_BYTES + 256) + RECORD_COST)
/* What a peer can make a connection hold beside its responses: answers to KeyUpdate and alerts. */
#define ASIDE_BYTES_MAX ((size_t)4096)

#define IN_BYTES (3 * RECORD_WIRE_MAX)

struct tls_worker {
    BIO *bio;
    struct record_engine engine;
    size_t in_at, in_used;          /* of `in`: bytes that a handshake has not taken yet */
    struct tls_conn *current;       /* whose socket `bio` is now */
    size_t used;                    /* bytes in `out` */
    char failure[256];              /* what tls_failure tells, where it is no literal */
    char plain[RECORD_BYTES];       /* slices are joined here to be one record */
    char out[OUT_BYTES];
    char in[IN_BYTES];
};

/* What a client offered, as text (conn_offer.c). */
struct tls_offer {
    struct str suites, groups, session_id;
    char texts[];
};

/* What is left of a client's handshake. */
struct tls_own {
    struct record_keys read, write;
    X509 *peer;                     /* references; NULL: none */
    STACK_OF(X509) *chain;
    int group;                      /* of the key exchange, as the library numbers it */
    struct tls_offer *offer;        /* NULL: nobody asks for it */
    long verify_result;             /* of `peer` */
    bool read_secret, write_secret; /* the library has told them */
    bool resumed;
    uint8_t barren;                 /* records in a row that carried nothing */
    uint8_t update_len;             /* bytes of a KeyUpdate that came in pieces */
    uint8_t update[5];
    uint8_t name_len;
    char name[];                    /* that the client asked for */
};

struct tls_conn {
    SSL *ssl;                       /* NULL: records are our own */
    struct tls_own *own;            /* NULL: a server's connection, or TLS 1.2 and before */
    struct sock *sock;
    struct worker *worker;
    const struct tls_policy *policy;  /* a reference; NULL: towards a server */
    struct chunk *input;            /* what came and was not taken; NULL: none */
    struct chunk *pending;          /* ciphertext that has not left; NULL: none */
    uint32_t input_at, pending_at;
    uint32_t plain, skip;           /* own: opened bytes at input_at, and what to step over behind them */
    uint32_t withheld;              /* plain bytes in `pending` that were not yet told to be written */
    bool server : 1;
    bool challenge : 1;             /* only acme-tls/1 is spoken */
    bool established : 1;
    bool h2 : 1;
    bool alpn : 1;                  /* a protocol was agreed on by ALPN */
    bool ended : 1;                 /* close_notify or the end of the stream was read */
    bool failed : 1;                /* the library must not be called any more */
    bool broken : 1;                /* the socket failed under the library */
    bool goodbye : 1;               /* close_notify was said */
    bool released : 1;              /* freed as soon as `flush` has run */
    const char *failure;
    const struct tls_client *client;  /* until the handshake is done */
    char *subject;                  /* of the peer; NULL: not asked for yet */
    void (*on_session)(void *owner, SSL_SESSION *session);
    void *session_owner;
    struct deferred flush;
};

extern const struct sock_layer conn_layer;

/* ---- conn_bio.c ---- */

/* The worker's buffers, made when they are not there; NULL without memory. */
struct tls_worker *conn_worker(struct worker *worker);
/* Whose connection the library is calling back for. */
struct tls_conn *conn_of_ssl(const SSL *ssl);
/* What a handshake read and did not need stays with the connection. False without memory. */
bool conn_keep_input(struct tls_conn *conn);
/* Before every call that may read or write. */
static inline void conn_enter(struct tls_conn *conn)
{
    conn->worker->tls->current = conn;
    schedule_client = (struct schedule_client){&conn->worker->tls->engine.hkdf, conn};
}

/* ---- conn_out.c ---- */

/* Sends what is pending. OK: nothing is left; AGAIN; IO_ERROR. */
enum status conn_send_pending(struct tls_conn *conn, bool more);
/* After a call into the library: sends its output behind what is pending; the rest is pending. OK: everything left. */
enum status conn_leave_sending(struct tls_conn *conn, bool more);
/* Keeps its output for the next write, or the end of the turn where `soon` says so. False: the peer made more of it than
 * is kept, or there is no memory. */
bool conn_leave_keeping(struct tls_conn *conn, bool soon);
/* Puts what is pending and short in front of what the library is going to write: they leave together. */
void conn_take_pending(struct tls_conn *conn);
void conn_flush_later(struct deferred *deferred);

/* ---- conn_io.c: the layer's functions ---- */

enum status conn_read(struct sock *sock, void *buffer, size_t size, size_t *ret_got);
enum status conn_write(struct sock *sock, const struct iovec *vector, int count, bool more, size_t *ret_sent);
/* Sets sock->buffered: may the layer give bytes without a new event? */
void conn_note_buffered(struct tls_conn *conn);

/* ---- conn_own.c ---- */

/* Takes note of an application traffic secret, from tls/schedule.h: the client's (which we read with) or ours. */
void conn_note_secret(struct tls_conn *conn, bool reads, const uint8_t *secret, size_t size);
/* At the end of a handshake, with its last output in the worker's buffer. False: it stays with the library. */
bool conn_take_over(struct tls_conn *conn);
/* Records into the worker's buffer; false: no room, or the library could not. */
bool conn_seal(struct tls_conn *conn, struct str plain);
bool conn_seal_key_update(struct tls_conn *conn);
void conn_seal_alert(struct tls_conn *conn, bool fatal, enum record_alert description);
void conn_own_free(struct tls_own *own);

/* ---- conn_offer.c ---- */

/* From the library, for later; NULL where nobody will ask. */
struct tls_offer *conn_keep_offer(SSL *ssl);

/* ---- conn_open.c ---- */

/* As conn_read; output is left in the worker's buffer. */
enum status conn_open(struct tls_conn *conn, char *buffer, size_t size, size_t *ret_got);

/* ---- conn_failure.c ---- */

/* Reads the library's errors into conn->failure; gives the status that the handshake ends with. */
enum status conn_note_failure(struct tls_conn *conn);
/* A server's certificate was found wrong: notes why, for SSL_CTX_set_verify. */
int conn_note_untrusted(int trusted, X509_STORE_CTX *chain);

/* ---- client_verify.c ---- */

/* Does the server's certificate hold one of the client's peer_cert_sans? True where none are asked for. */
bool client_accepts_sans(const struct tls_client *client, X509 *certificate);
/* Names of a certificate for people: "a.example, b.example"; at most `size` - 1 bytes. */
void client_list_names(X509 *certificate, char *out, size_t size);

/* ---- conn_alpn.c ---- */

/* The server's choice of a protocol, for SSL_CTX_set_alpn_select_cb; `policy` is a struct tls_policy. */
int conn_select_protocol(SSL *ssl, const unsigned char **ret_protocol, unsigned char *ret_len,
                         const unsigned char *offered, unsigned offered_len, void *policy);
/* A new session towards a server, for SSL_CTX_sess_set_new_cb. */
int conn_take_session(SSL *ssl, SSL_SESSION *session);

#endif
