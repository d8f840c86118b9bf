/* What CAs say in JSON (RFC 8555 7, RFC 9773 4.2), read strictly: duplicates, wrong types and what is too long are refused.
 * Pure; texts are copied into the arena. False: not such a message. */
#ifndef ACME_MESSAGES_H
#define ACME_MESSAGES_H

#include "base/arena.h"
#include "base/option.h"

#define ACME_MESSAGE_MAX ((size_t)256 * 1024)   /* bytes of JSON */
#define ACME_NAMES_MAX 100                      /* identifiers of one order */

/* A problem document (RFC 7807 with RFC 8555 6.7). */
struct acme_problem {
    struct str type, detail;            /* may be empty */
    struct str identifier;              /* the name concerned; empty: none said */
    int status;                         /* 0: none said */
    struct acme_problem *subproblems;
    size_t subproblem_count;
};

struct acme_directory {
    struct str new_nonce, new_account, new_order, renewal_info;     /* URLs; renewal_info empty: no ARI */
    struct str terms_of_service, website;   /* for people; may be empty, need not be https */
    bool external_account_required;
    struct strs profiles;               /* names; none: the CA has no profiles */
};

enum acme_state {   /* of accounts, orders, authorizations and challenges (RFC 8555 7.1.6) */
    ACME_STATE_UNKNOWN,
    ACME_STATE_PENDING,
    ACME_STATE_READY,
    ACME_STATE_PROCESSING,
    ACME_STATE_VALID,
    ACME_STATE_INVALID,
    ACME_STATE_DEACTIVATED,
    ACME_STATE_EXPIRED,
    ACME_STATE_REVOKED,
};

struct acme_account_message {
    enum acme_state state;
};

struct acme_order_message {
    enum acme_state state;
    struct strs authorizations;         /* URLs */
    struct str finalize, certificate;   /* URLs; certificate empty until it is there */
    struct acme_problem *error;         /* or NULL */
};

enum acme_challenge_type { ACME_TLS_ALPN_01, ACME_HTTP_01, ACME_DNS_01, ACME_CHALLENGE_TYPES };

struct acme_challenge_message {
    enum acme_challenge_type type;
    enum acme_state state;
    struct str url, token;
    struct acme_problem *error;         /* or NULL */
};
struct acme_authorization_message {
    enum acme_state state;
    struct str name;                    /* without "*."; an address as text */
    bool wildcard, address;
    struct acme_challenge_message challenges[ACME_CHALLENGE_TYPES];     /* by type; url empty: not offered */
};

struct acme_renewal_message {
    int64_t window_start, window_end;   /* Unix seconds, start < end */
    struct str explanation_url;         /* may be empty */
};

bool acme_read_problem(struct str json, struct arena *arena, struct acme_problem *ret_problem);
bool acme_read_directory(struct str json, struct arena *arena, struct acme_directory *ret_directory);
bool acme_read_account(struct str json, struct acme_account_message *ret_account);
bool acme_read_order(struct str json, struct arena *arena, struct acme_order_message *ret_order);
bool acme_read_authorization(struct str json, struct arena *arena, struct acme_authorization_message *ret_authorization);
bool acme_read_challenge(struct str json, struct arena *arena, struct acme_challenge_message *ret_challenge);
bool acme_read_renewal(struct str json, struct arena *arena, struct acme_renewal_message *ret_renewal);

/* "tls-alpn-01". */
const char *acme_challenge_name(enum acme_challenge_type type);
/* The target of a Link's value (RFC 8288) when it has that relation; empty otherwise. */
struct str acme_link_target(struct str value, struct str relation);
/* RFC 3339, as Unix seconds. */
bool acme_read_time(struct str text, int64_t *ret_seconds);

#endif
