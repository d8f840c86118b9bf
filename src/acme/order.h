/* One certificate from order to chain (RFC 8555 7.4, 7.5, 8; RFC 8737, 8738, 9773 5): new order, an authorization for each
 * name, challenges that the owner presents, finalizing, the chain.
 *
 * For each name that is not yet authorized the first type of `types` is used that the name and the CA allow: a wildcard goes
 * by DNS-01 alone, an address not by DNS-01. When it fails and another type of `types` is left for the name, a new order
 * tries that one. Each challenge that was presented is cleaned up exactly once, whatever happens.
 *
 * Ownership: an order lives until its on_done returned or until acme_order_cancel. Its settings are copied. Threading: the
 * loop's thread. The client's account is known before (acme_account_open). */
#ifndef ACME_ORDER_H
#define ACME_ORDER_H

#include "acme/client.h"

struct acme_order;

/* What is to be shown to the CA. Texts live until cleanup has returned. */
struct acme_challenge {
    enum acme_challenge_type type;
    struct str name;                /* without "*."; an address as text */
    bool wildcard, address;
    struct str server_name;         /* TLS-ALPN-01: what the CA will ask for in SNI: the name, of an address the name under
                                     * in-addr.arpa or ip6.arpa (RFC 8738 6) */
    struct str token;               /* HTTP-01: /.well-known/acme-challenge/TOKEN answers `key_authorization` */
    struct str key_authorization;
    uint8_t digest[32];             /* TLS-ALPN-01: make_challenge_certificate(name, digest) */
    struct str dns_name;            /* DNS-01: TXT record "_acme-challenge.NAME." with `dns_value` */
    struct str dns_value;
    void *owner;                    /* for whoever presents it; NULL at first */
};

struct acme_order_owner {
    /* Shows it, then calls acme_challenge_presented: from within, or later; how long it may take is its own affair. */
    void (*present)(void *owner, struct acme_challenge *challenge);
    /* It is no longer needed; also for one that is still being presented, which then is not reported any more. What goes on
     * longer than this call copies what it needs. */
    void (*cleanup)(void *owner, struct acme_challenge *challenge);
    /* The CA has made an order: with this URL it can be taken up after a restart. May be NULL. */
    void (*on_made)(void *owner, struct str url);
    /* The end: `chain_pem` (leaf first) or a failure, the other empty or NULL. The order is over. */
    void (*on_done)(void *owner, struct str chain_pem, const struct acme_failure *failure);
};

struct acme_order_settings {
    struct strs names;              /* lower case; "*.a.example" and addresses as text ("192.0.2.1", "::1") */
    struct str request;             /* PKCS #10 in DER for exactly these names (make_request) */
    struct str profile;             /* empty: the CA's default; left out where the CA has no profiles at all */
    struct str replaces;            /* certificate_ari_id of the one that is renewed; empty: none. Left out where the CA has no
                                     * ARI, and when it says that it was replaced already */
    struct str preferred_chain;     /* common name of the issuer of the chain's last certificate; empty: the CA's default */
    enum acme_challenge_type types[ACME_CHALLENGE_TYPES];   /* in the order to try */
    size_t type_count;
    struct str url;                 /* an order made earlier: taken up if the CA still has it; empty: a new one */
    int64_t certificate_timeout;    /* ns from finalizing to the certificate; 0: half a minute */
};

/* Nothing is called back before it returns. */
struct acme_order *acme_order_start(struct acme_client *client, const struct acme_order_settings *settings,
                                    const struct acme_order_owner *functions, void *owner);
/* The challenge can be seen by the CA now; else why not, for people ("exit status 1: ..."). */
void acme_challenge_presented(struct acme_challenge *challenge, bool shown, struct str why);
/* Ends it without on_done; what was presented is cleaned up. NULL is allowed; not from within on_made, cleanup or on_done. */
void acme_order_cancel(struct acme_order *order);
/* "authorizing": for logs and the API. */
const char *acme_order_state(const struct acme_order *order);

#endif
