/* Certificates that come by themselves: what routers want is got from the resolvers, stored, served, and renewed in time.
 *
 * One order for each set of names, however many routers ask. Names that a certificate file or another wanted set covers (a
 * wildcard too) are not ordered. What storage holds is served at once; until the first certificate is there the default one
 * is; a renewal takes the former one's place in one step. A certificate that nobody wants any more stays served as long as it
 * lasts, and is renewed for another 30 days, so that a service which is away for a while comes back to it.
 *
 * Failures never stop anything: each is logged with what to do, and tried again later (acme/schedule.h).
 *
 * Threading: the control thread. Ownership: a reference to the latest graph is kept until acme_stop. */
#ifndef ACME_MANAGER_H
#define ACME_MANAGER_H

#include "base/diag.h"
#include "exchange/graph.h"
#include "net/worker.h"

/* Before a model is taken: is each ACME storage readable and its own (0600), does a DNS challenge have a command, is the key of
 * an external account readable? False: errors were added. Needs no acme_start; changes nothing. */
bool acme_check(const struct model *model, struct diag *diag);

/* After vault_start, on the control thread. On-demand questions are answered from now on. */
void acme_start(struct worker *control);
/* The graph that runs from now on: its wants, resolvers and certificates from files. When it returns, what storage holds is in
 * the vault and published. */
void acme_update(struct graph *graph);
/* Somebody has repaired something, perhaps: waits for another try end now, those of names a minute behind their failure. */
void acme_retry(void);
/* Somebody wants the certificate with this name (any of its names, case ignored) renewed now, whatever the schedule. It is tried
 * until there is a new one; how it went shows in acme_list. False: nothing was begun. `ret_text`: what happens next, or why
 * nothing does, as a sentence without a full stop; in `arena`. */
bool acme_renew(struct str name, struct arena *arena, struct str *ret_text);
/* The end is near: no new orders. */
void acme_stopping(void);
/* Orders under way stay in storage, for the next start. Nothing when it was not started. */
void acme_stop(void);

/* ---- what people see ---- */

enum acme_progress {
    ACME_WAITING,           /* for its turn or its next try */
    ACME_ORDERING,
    ACME_ISSUED,
    ACME_COVERED,           /* another certificate serves its names for now */
};

struct acme_entry {
    struct strs names;              /* the first is the main one */
    struct str resolver;            /* certificatesResolver; RESOLVER_* for those that come along */
    struct str ca;                  /* directory URL; empty: the local CA */
    struct str issuer, serial;      /* of the certificate; empty: there is none */
    struct str key;                 /* its kind: "ECDSA", "RSA", "Ed25519" */
    int64_t not_before, not_after;  /* Unix seconds; 0: there is none */
    int64_t renew_at;               /* Unix seconds; 0: it will not be renewed */
    enum acme_progress progress;
    bool wanted, on_demand;
    unsigned failures;              /* in a row */
    struct str failure, hint;       /* of the last one; empty: none since the last success */
    int64_t failed_at, next_try;    /* Unix seconds */
};
struct acme_entries {
    struct acme_entry *items;
    size_t count;
};

/* By resolver, then main name. Texts are copied. */
struct acme_entries acme_list(struct arena *arena);
/* The same for a process that runs none of this: from the storages that the model names. What cannot be read is said in `diag`. */
struct acme_entries acme_list_stored(const struct model *model, struct arena *arena, struct diag *diag);
/* "issued". */
const char *acme_progress_name(enum acme_progress progress);

#endif
