/* A CA of this machine's own, for names that no public one can vouch for: a root that `portico trust` makes known to browsers,
 * and an intermediate that signs, so that the root's key is read but rarely. Certificates of servers are kept in memory alone.
 *
 *     root.crt root.key                  ten years; whoever removes them gets others
 *     intermediate.crt intermediate.key  a year; made anew before its end, or when it does not fit the root
 *
 * An own root may lie there as well; its key may be absent as long as the intermediate is good. Several processes may share a
 * directory: what one makes the others use.
 *
 * Ownership: the caller's. Threading: the control thread; calls block for as long as the disk does. Times are Unix seconds.
 * Errors: NULL, and `why` in words that say what to do. */
#ifndef ACME_LOCAL_CA_H
#define ACME_LOCAL_CA_H

#include "base/text.h"
#include "tls/certificate.h"

struct local_ca;

/* Where a CA lies that has no place of its own: "ca" in the data directory. */
struct str local_ca_directory(struct str configured, struct arena *arena);

/* Reads what is there and makes what is not. `directory` is copied; empty: the one above. */
struct local_ca *local_ca_open(struct str directory, int64_t now, struct text *why);
void local_ca_close(struct local_ca *ca);
/* A new key and a certificate for `names` (DNS names, wildcards, addresses; at least one) that lasts `lifetime` ns from `now`,
 * but not longer than the CA. Its chain is the intermediate. "*.localhost" is of no use: clients take no wildcard for all of a
 * top-level domain. */
struct certificate *local_ca_issue(struct local_ca *ca, const struct strs *names, int64_t lifetime, int64_t now,
                                   struct text *why);
/* Borrowed from the CA. */
X509 *local_ca_root(const struct local_ca *ca);
struct str local_ca_root_path(const struct local_ca *ca);

/* What tells one root from others in a list: eight hexadecimal digits of its key's SHA-256, NUL-terminated. */
#define LOCAL_CA_ID_SIZE 9
void local_ca_id(X509 *root, char out[LOCAL_CA_ID_SIZE]);

#endif
