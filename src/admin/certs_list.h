/* All certificates of a configuration as rows, and the rows as a table for people or as JSON. Pure: what is on disk was read
 * before. */
#ifndef ADMIN_CERTS_LIST_H
#define ADMIN_CERTS_LIST_H

#include "acme/manager.h"
#include "base/text.h"
#include "exchange/graph.h"

struct cert_row {
    struct strs names;              /* the first is the main one */
    struct str issuer, serial, key; /* of the certificate; empty: there is none */
    int64_t not_before, not_after;  /* Unix seconds; 0: there is none */
    int64_t renew_at;               /* Unix seconds; 0: nobody renews it */
    struct str source;              /* "file /etc/a.pem", "le", "the local CA" */
    const char *state;              /* "issued", "waiting", ...; "file", "root", "missing"; "memory": made at each start */
    struct str problem, hint;       /* empty: none */
    int64_t next_try;               /* Unix seconds; 0: none */
};
struct cert_rows {
    struct cert_row *items;
    size_t count;
    bool any_expired;
};

/* Sorted by main name, with `more` (roots of local CAs) among them. Texts are the graph's and the entries'; the rest lies in
 * `arena`. `now`: Unix seconds. */
struct cert_rows certs_collect(const struct graph *graph, const struct acme_entries *entries, const struct cert_rows *more,
                               int64_t now, struct arena *arena);
/* The roots of local CAs that the configuration uses and that are there. Reads their files. */
struct cert_rows certs_find_roots(const struct model *model, struct arena *arena);
void certs_show(const struct cert_rows *rows, int64_t now, bool color, struct text *out);
/* An array of {names, issuer, serial, keyType, notBefore, notAfter, expired, renewAt, source, state, problem, hint, nextTry}. */
void certs_show_json(const struct cert_rows *rows, int64_t now, struct text *out);
/* "in 12 days", "3 hours ago": whole units of the largest that fits. `out` has CERTS_SPAN_SIZE bytes. */
#define CERTS_SPAN_SIZE 40
void certs_span(int64_t from, int64_t to, char *out);

#endif
