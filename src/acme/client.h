/* One account at one CA: the directory, nonces, and signed requests (RFC 8555 6, 7.1.1, 7.2). The directory is fetched with
 * the first request and again after a day; nonces that answers bring are kept for the next requests; a badNonce is tried
 * again with a new one.
 *
 * Ownership: the client takes over its key and copies its settings. Operations (posts, account, orders, renewal information)
 * end before it does. Threading: the loop's thread alone. */
#ifndef ACME_CLIENT_H
#define ACME_CLIENT_H

#include "acme/failure.h"
#include "acme/http.h"
#include "acme/jws.h"

struct acme_client;

struct acme_client_settings {
    struct str directory_url;
    struct acme_trust trust;
    int64_t timeout, head_timeout;      /* ns for each request: clientTimeout, clientResponseHeaderTimeout */
};

/* NULL, and *ret_why (in `arena`): a CA file that cannot be read. The key is taken over in either case. */
struct acme_client *acme_client_new(struct loop *loop, const struct acme_client_settings *settings, struct acme_key *key,
                                    struct arena *arena, struct str *ret_why);
/* NULL is allowed; what is under way is cancelled. Not from within a callback of one of its operations. */
void acme_client_free(struct acme_client *client);

struct loop *acme_client_loop(const struct acme_client *client);
const struct acme_key *acme_client_key(const struct acme_client *client);
struct str acme_client_directory_url(const struct acme_client *client);
/* The account's URL; empty until acme_account_open found it or acme_client_set_account gave one from storage. */
struct str acme_client_account(const struct acme_client *client);
void acme_client_set_account(struct acme_client *client, struct str url);

/* ---- operations: each calls back once, never before the function returns, or is cancelled ---- */

struct acme_call;

/* In a callback: either an answer with a 2xx status, or a failure. Both valid in the callback alone. */
typedef void acme_on_reply(void *owner, const struct acme_answer *answer, const struct acme_failure *failure);

/* Where to: a URL, or what the directory says. */
enum acme_target { ACME_URL, ACME_NEW_ACCOUNT, ACME_NEW_ORDER, ACME_DIRECTORY };

/* A signed POST (ACME_DIRECTORY: nothing is posted; answer NULL). `make_payload` is called for each attempt with the
 * directory at hand and the URL that it goes to; NULL: POST-as-GET. */
struct acme_post {
    enum acme_target target;
    struct str url;                     /* of ACME_URL; copied */
    bool (*make_payload)(void *owner, const struct acme_directory *directory, struct str url, struct arena *arena,
                         struct str *ret_payload, struct acme_failure **ret_failure);
    acme_on_reply *on_reply;
    void *owner;
};
struct acme_call *acme_client_post(struct acme_client *client, const struct acme_post *post);
/* An unsigned GET of the directory's renewalInfo for one certificate (RFC 9773 4.1); answer and failure are NULL where the
 * CA has none. */
struct acme_call *acme_client_get_renewal(struct acme_client *client, struct str certificate_id, acme_on_reply *on_reply,
                                          void *owner);
/* Without a callback; NULL is allowed. Not from within its own callback, where it is over already. */
void acme_call_cancel(struct acme_call *call);
/* The directory that was fetched last; NULL before the first. */
const struct acme_directory *acme_client_directory(const struct acme_client *client);

#endif
