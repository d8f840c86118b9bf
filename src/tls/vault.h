/* Where certificates from all sources come together: the configuration's files, ACME, the local CA. The control thread puts
 * them in; the vault makes a store of them and sends it to the workers.
 *
 * Threading: the control thread, but for vault_of (each worker's own). Ownership: references are taken. */
#ifndef TLS_VAULT_H
#define TLS_VAULT_H

#include "net/worker.h"
#include "tls/store.h"

/* VAULT_SITES: those that handshakes find by their site (exchange/graph.h) and never by their names; here to be listed. */
enum vault_source { VAULT_FILES, VAULT_ACME, VAULT_LOCAL, VAULT_SITES, VAULT_SOURCES };

/* The workers must be inited; publishing begins with the first vault_publish. Makes the default certificate. */
void vault_start(struct worker *workers, unsigned count);
/* Lets go of everything. The workers' loops must have ended, and not be released yet; nothing may be published since. */
void vault_stop(void);
/* All certificates of a source, in place of the former ones. */
void vault_set(enum vault_source source, struct certificate *const *certificates, size_t count);
/* The certificate served where nothing fits; NULL: the generated one. */
void vault_set_default(struct certificate *certificate);
/* TLS-ALPN-01; `certificate` NULL: the challenge is over. */
void vault_set_challenge(struct str name, struct certificate *certificate);
/* Makes the store that follows from all this and sends it to the workers; nothing when nothing changed. Messages to a loop
 * arrive in the order sent: what is published before a graph is there before it. */
void vault_publish(void);
/* The present store on this worker (borrowed, until the end of the turn); the control thread's newest one for its own worker
 * or where there are no workers (check, certs). Never NULL after vault_start. */
struct tls_store *vault_of(struct worker *worker);

#endif
