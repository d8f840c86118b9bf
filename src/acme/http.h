/* Requests of the control thread's own to CAs and permission services, by libcurl on the control thread's loop. Nothing
 * here blocks but the reading of CA files in acme_http_new.
 *
 * Ownership: a struct acme_http belongs to whoever made it; it keeps connections for reuse, all of them verified by the
 * same trust, so there is one for each set of trust settings. A request lives until its callback has returned or until
 * it is cancelled. Threading: the loop's thread alone. Names are resolved on threads of libcurl's. Redirections are not
 * followed. */
#ifndef ACME_HTTP_H
#define ACME_HTTP_H

#include "base/option.h"
#include "net/loop.h"

struct acme_http;
struct acme_http_request;

struct acme_trust {
    struct strs ca_certificates;    /* files, or PEM texts; none: the system's */
    bool system_pool;               /* the system's as well as those */
    struct str server_name;         /* for SNI and verification; empty: the URL's host */
};

/* What came back; valid in the callback alone. */
struct acme_answer {
    const char *error;              /* no answer: why, for people ("Could not resolve host: ca.example"); NULL: there is one */
    int status;                     /* 0 without an answer */
    struct str replay_nonce, location, content_type;    /* empty when absent */
    int64_t retry_at;               /* Retry-After, as Unix seconds; 0: absent or unreadable */
    struct strs links;              /* values of Link, as they came */
    struct str body;
};

struct acme_http_ask {
    const char *method;             /* "GET", "HEAD", "POST"; a literal */
    struct str url;                 /* http or https; copied */
    struct str body, content_type;  /* of a POST; copied */
    int64_t timeout;                /* ns for everything */
    int64_t head_timeout;           /* ns until the response's head; 0: `timeout` alone counts */
    size_t max_body;                /* a longer body is an error */
    void (*on_answer)(void *owner, const struct acme_answer *answer);
    void *owner;
};

/* NULL, and *ret_why (in `arena`): a CA file that cannot be read, or there is no libcurl. */
struct acme_http *acme_http_new(struct loop *loop, const struct acme_trust *trust, struct arena *arena,
                                struct str *ret_why);
/* Cancels what is under way. Not from within a callback of its own. */
void acme_http_free(struct acme_http *http);

/* Never calls back before it returns; afterwards exactly once, unless cancelled. The callback may start others. */
struct acme_http_request *acme_http_request(struct acme_http *http, const struct acme_http_ask *ask);
/* Without a callback. NULL is allowed; not from within its own callback, where it is over already. */
void acme_http_cancel(struct acme_http_request *request);

#endif
