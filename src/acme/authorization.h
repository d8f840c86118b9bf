/* One name of an order: its authorization is read, a challenge is presented, the CA is told, and its verdict awaited
 * (RFC 8555 7.5, 7.5.1). Used by order.c alone. */
#ifndef ACME_AUTHORIZATION_H
#define ACME_AUTHORIZATION_H

#include "acme/order.h"
#include "acme/plan.h"

struct acme_authorization;

struct acme_authorization_owner {
    void (*present)(void *owner, struct acme_challenge *challenge);
    void (*cleanup)(void *owner, struct acme_challenge *challenge);
    /* The end, once: `failure` NULL: authorized. What was presented is cleaned up by then. `message` is what the CA said of it
     * last, NULL if nothing; `type` is what was tried, ACME_CHALLENGE_TYPES if nothing. The authorization may be freed here. */
    void (*on_end)(void *owner, const struct acme_authorization_message *message, enum acme_challenge_type type,
                   const struct acme_failure *failure);
};

/* `plan` outlives it. Calls back never before it returns. */
struct acme_authorization *acme_authorization_start(struct acme_client *client, struct str url, const struct acme_plan *plan,
                                                    const struct acme_authorization_owner *functions, void *owner);
/* Cleans up what is presented. NULL is allowed. */
void acme_authorization_free(struct acme_authorization *authorization);

#endif
