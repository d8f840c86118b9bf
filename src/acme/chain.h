/* Downloads an issued certificate with its chain, or the alternate chain that is preferred (RFC 8555 7.4.2). */
#ifndef ACME_CHAIN_H
#define ACME_CHAIN_H

#include "acme/client.h"

struct acme_chain;

/* `pem` empty: `failure` says why. Valid in the callback alone. */
typedef void acme_on_chain(void *owner, struct str pem, const struct acme_failure *failure);

/* `preferred`: common name of the issuer of the chain's last certificate; empty, or of no chain: the CA's default. Calls back
 * once, never before it returns; then it is over and gone. */
struct acme_chain *acme_chain_fetch(struct acme_client *client, struct str url, struct str preferred, acme_on_chain *on_chain,
                                    void *owner);
/* Without a callback; NULL is allowed. */
void acme_chain_cancel(struct acme_chain *chain);
/* Common name of the issuer of the last certificate, into `arena`; data NULL: there is no certificate. Empty: it has none. */
struct str acme_chain_root(struct str pem, struct arena *arena);

#endif
