/* OCSP responses shown along with our certificates (RFC 6066 8): a client that asks for one gets what there is, and the handshake never
 * waits. The first one that asks has the response fetched, by whoever sets staple_fetch; it is renewed as clients go on asking.
 *
 * Responses are known by certificate and settings, so a reload keeps them.
 * Ownership: a struct stapling belongs to its policy. Threading: any; a fetch is one at a time for each response. */
#ifndef TLS_STAPLING_H
#define TLS_STAPLING_H

#include <openssl/ssl.h>

#include "base/diag.h"
#include "base/option.h"
#include "net/loop.h"
#include "tls/ocsp.h"

struct stapling_options {           /* tls.options.O.ocspStapling */
    const struct node *origin;
    struct str file;                /* a response (DER) that is shown instead of asking; empty: the responder is asked */
    struct str responder;           /* a URL; empty: as the certificate says */
    bool verify;                    /* the response's signature too must lead to caFiles */
    struct strs ca_files;           /* paths or PEM texts: issuers, and whom to trust */
};

struct stapling;

/* NULL after errors in `diag`. Reads files (blocking). */
struct stapling *stapling_new(const struct stapling_options *options, struct arena *scratch, struct diag *diag);
void stapling_free(struct stapling *stapling);
/* It outlives the context. */
void stapling_use(SSL_CTX *context, struct stapling *stapling);

/* One response to be fetched. Its fields are read-only. */
struct staple {
    struct message message;
    struct list link;
    unsigned char key[64];
    struct ocsp_subject subject;    /* issuer NULL: it was not found */
    char *responder;                /* that the settings name; empty: none */
    char *bytes;                    /* the response; NULL: none. This and the rest under a lock */
    size_t len;
    int64_t valid_until, refresh_at, used_at;     /* Unix seconds */
    bool loading;
};
/* Called on the thread of `staple_loop`: fetches it and ends with staple_done, once. NULL: nobody does. */
extern void (*staple_fetch)(struct staple *staple);
extern struct loop *staple_loop;
/* `response` empty: there is none; it is tried again in five minutes. */
void staple_done(struct staple *staple, struct str response, int64_t valid_until);

#endif
