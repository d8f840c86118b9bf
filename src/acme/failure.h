/* Why something with a CA failed, so that a machine can decide when to try again and a person what to do.
 *
 * Ownership: texts live in an arena of whoever reports; valid in the callback, kept by acme_failure_copy. */
#ifndef ACME_FAILURE_H
#define ACME_FAILURE_H

#include "acme/messages.h"

enum acme_trouble {
    ACME_UNREACHABLE,       /* no answer from the CA */
    ACME_CA_FAILED,         /* it answered 5xx, or with what is no ACME */
    ACME_RATE_LIMITED,      /* see not_before */
    ACME_ACCOUNT,           /* the account is not valid, was refused, or needs something of its owner */
    ACME_REFUSED,           /* the CA will not issue for these names, or not this request */
    ACME_CHALLENGE_FAILED,  /* it did not see what it was to see */
    ACME_PRESENT_FAILED,    /* we could not show it (a DNS hook, a port) */
    ACME_NO_CHALLENGE,      /* it offers none that can be used for the name */
    ACME_TOO_SLOW,          /* it did not come to an end in time */
};

struct acme_failure {
    enum acme_trouble trouble;
    bool lasting;           /* trying again changes nothing until someone changes something */
    int status;             /* of the response; 0: none */
    struct str type;        /* "urn:ietf:params:acme:error:caa"; empty: none given */
    struct str detail;      /* one line: the CA's words, or ours */
    struct str name;        /* the one concerned; empty: all, or unknown */
    struct str challenge;   /* "tls-alpn-01"; empty: none concerned */
    struct str hint;        /* what to look at or to do; may be empty */
    int64_t not_before;     /* Unix seconds: the CA wants no attempt earlier; 0: it did not say */
    struct acme_failure *more;  /* other names that failed, types that were tried before; or NULL */
};

/* "challenge", "rate_limited", ...: for logs and the API. */
const char *acme_trouble_name(enum acme_trouble trouble);
/* All of it, `more` included. */
struct acme_failure *acme_failure_copy(const struct acme_failure *failure, struct arena *arena);
/* One line: "a.example: tls-alpn-01: Connection refused (urn:...:connection); hint". */
struct str acme_failure_text(const struct acme_failure *failure, struct arena *arena);

/* From a problem document that came with `status`. Subproblems about names become `more`. `challenge` says what was
 * being validated, and `name` whom; empty otherwise. */
struct acme_failure *acme_failure_from_problem(const struct acme_problem *problem, int status, struct str challenge,
                                               struct str name, struct arena *arena);
/* One of our own finding. */
struct acme_failure *acme_failure_new(enum acme_trouble trouble, struct str detail, struct arena *arena);

#endif
