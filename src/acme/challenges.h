/* Shows challenges to the CA, as an order asks for it (acme/order.h): by the vault, the HTTP table or DNS. */
#ifndef ACME_CHALLENGES_H
#define ACME_CHALLENGES_H

#include "acme/order.h"
#include "model/tls.h"

/* Calls acme_challenge_presented when it is shown, or cannot be. `config` is read before this returns. */
void challenges_present(struct loop *loop, const struct acme_config *config, struct acme_challenge *challenge);
/* Takes back what present did; also in the midst of it. The workers learn of it with the next vault_publish. */
void challenges_cleanup(struct acme_challenge *challenge);
/* Types that a configuration uses, in the order to try; gives how many. */
size_t challenges_types(const struct acme_config *config, enum acme_challenge_type ret_types[ACME_CHALLENGE_TYPES]);

#endif
