/* What a TLS handshake for a name would come to on an entrypoint: which options hold, which certificate is shown, and why that
 * one. Reads the storages of resolvers; asks no running process. */
#ifndef ADMIN_EXPLAIN_TLS_H
#define ADMIN_EXPLAIN_TLS_H

#include "exchange/graph.h"

struct way_tls {
    bool asked;                     /* the request is one of https */
    bool spoken;                    /* the entrypoint speaks TLS */
    bool refused;                   /* the handshake fails: there is no certificate to show */
    struct str options;             /* name of the TLS options */
    struct str certificate;         /* "CN=a.example of CN=R11, until 2027-01-20 (in 59 days)"; empty: not there yet */
    struct str source;              /* where it comes from and why that one */
};

/* `host` in lower case; `now`: Unix seconds. Texts lie in `arena`. */
void explain_tls(const struct graph *graph, const struct entry *entry, struct str host, int64_t now, struct arena *arena,
                 struct way_tls *ret);

#endif
