/* Two ends of TLS in one process: a server's and a client's connection over a socket pair, with one worker's loop, and
 * certificates made for the test. */
#ifndef TEST_TLS_PAIR_H
#define TEST_TLS_PAIR_H

#include "net/worker.h"
#include "tls/client.h"
#include "tls/conn.h"
#include "test.h"

struct issued {
    X509 *certificate;
    EVP_PKEY *key;
    struct str pem, key_pem;        /* in the pair's arena */
};
/* What a certificate is made of. */
struct wish {
    const char *name;               /* of the subject */
    const char *sans;               /* "DNS:a.example,IP:127.0.0.1"; NULL: none */
    const struct issued *issuer;    /* NULL: itself */
    bool authority, rsa, expired;
};

struct end {
    struct sock sock;
    struct tls_conn *conn;
    enum status status;             /* of the handshake */
    char failure[256];              /* its words */
    unsigned events;
};

struct pair {
    struct worker worker;
    struct arena arena;
    struct diag diag;
    struct issued authority, leaf, rsa_leaf;
    struct certificate *shown;      /* of `leaf` */
    struct tls_options options;
    struct tls_client_options client_options;
    struct tls_policy *policy;
    struct tls_client *client;
    struct end server, peer;
    SSL_SESSION *session;           /* the newest that the client got */
    unsigned sessions;
};

void issue(struct arena *arena, const struct wish *wish, struct issued *ret_issued);
void issued_free(struct issued *issued);
/* A struct certificate of it, freed by certificate_drop. */
struct certificate *certificate_of(const struct issued *issued);
void certificate_drop(struct certificate *certificate);

/* Options that trust the authority, and a leaf for "a.example". */
void pair_init(struct pair *pair);
/* Makes policy and client of the options, which must be good. */
void pair_compile(struct pair *pair);
/* Connects, without shaking hands. `send_buffer`: bytes, 0 for the system's. */
void pair_open(struct pair *pair, SSL_SESSION *session, bool h2, int send_buffer);
/* Both sides until neither waits for the other any more. */
void pair_shake(struct pair *pair);
/* All at once, and it must work. */
void pair_connect(struct pair *pair);
/* Closes both sides and turns the loop. */
void pair_close(struct pair *pair);
void pair_release(struct pair *pair);
/* Writes all of `bytes` from one end and reads it at the other. */
void pair_pass(struct pair *pair, struct end *from, struct end *to, struct str bytes);
/* One turn without waiting. */
void pair_turn(struct pair *pair);

#endif
