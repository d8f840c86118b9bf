/* Asking whether a certificate was revoked (RFC 6960): the question as a URL, and what an answer says. No I/O. Any thread. */
#ifndef TLS_OCSP_H
#define TLS_OCSP_H

#include <openssl/x509.h>

#include "base/arena.h"

enum ocsp_verdict {
    OCSP_GOOD,
    OCSP_REVOKED,
    OCSP_UNKNOWN,                   /* the responder does not know it */
    OCSP_NO_ANSWER                  /* none that could be believed */
};

struct ocsp_subject {
    X509 *certificate, *issuer;
    STACK_OF(X509) *chain;          /* what else is at hand for verifying, untrusted; may be NULL */
    X509_STORE *trusted;
    bool verify;                    /* the answer's signature must lead to `trusted` */
};

/* The responder that a certificate names; empty: none. */
struct str ocsp_responder(X509 *certificate, struct arena *arena);
/* Where a GET has the question in its path (RFC 6960 A.1); empty without memory. */
struct str ocsp_url(struct str responder, const struct ocsp_subject *subject, struct arena *arena);
/* The one who issued it: of `chain`, else of `trusted`; a reference; NULL: not found. */
X509 *ocsp_issuer(X509 *certificate, STACK_OF(X509) *chain, X509_STORE *trusted);
/* `ret_valid_until`: Unix seconds; INT64_MAX where the answer does not say. `ret_why`: a literal, where there is no answer. */
enum ocsp_verdict ocsp_read(struct str answer, const struct ocsp_subject *subject, int64_t *ret_valid_until, const char **ret_why);

#endif
