/* DNS-01 (RFC 8555 8.4): the user's command writes the TXT record, then name servers are asked until they show it.
 *
 * Ownership: a challenge lives from present to cleanup. Threading: the loop's. */
#ifndef ACME_CHALLENGE_DNS_H
#define ACME_CHALLENGE_DNS_H

#include "model/tls.h"
#include "net/loop.h"

struct challenge_dns;

/* `name`: "_acme-challenge.a.example.". Copies what it needs. on_done comes once, never before this returns: `shown`, or `why`
 * not, for people. */
struct challenge_dns *challenge_dns_present(struct loop *loop, const struct acme_dns_challenge *config, struct str name,
                                            struct str value, void (*on_done)(void *owner, bool shown, struct str why), void *owner);
/* No callback from now on; the command removes the record, in the background. Its failure is logged. */
void challenge_dns_cleanup(struct challenge_dns *challenge);
/* The command that a configuration means: its own or $EXEC_PATH; empty: none. */
struct str challenge_dns_command(const struct acme_dns_challenge *config);
/* At the end of the process: commands that still clean up run on by themselves. */
void challenge_dns_abandon_all(void);

#endif
