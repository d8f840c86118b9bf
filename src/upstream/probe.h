/* One active check of one server: a request, its redirections, a verdict.
 *
 * Ownership: the probe lies in its user's memory and holds what it needs until on_done or probe_cancel; `check` and
 * `transport` outlive it. Threading: the worker's thread. */
#ifndef UPSTREAM_PROBE_H
#define UPSTREAM_PROBE_H

#include "base/text.h"
#include "upstream/fetch.h"
#include "upstream/health_check.h"

#define PROBE_REDIRECTS_MAX 10

struct probe {
    /* The user's, set before the start: */
    struct worker *worker;
    const struct health_check *check;
    const struct transport *transport;
    struct server *server;            /* that is asked; the user holds the reference */
    /* `why`: a literal, NULL when the server is well; `status` of the last response, 0 when none came. Not called before
     * probe_start returns. A new probe may be started from within. */
    void (*on_done)(struct probe *probe, const char *why, int status);
    /* The probe's: */
    struct fetch *fetch;              /* NULL while none is under way */
    struct text path;
    int64_t deadline;
    unsigned redirects;
};

/* False when there are no buffers for it: on_done will not be called. */
bool probe_start(struct probe *probe);
void probe_cancel(struct probe *probe);

/* Where a redirection leads within a server: writes the path with its query to `out`. False when it leads elsewhere.
 * `authorities`: the names that the server is known by here. Pure. */
bool probe_redirect_path(struct str location, struct str from_path, struct str scheme, const struct str *authorities,
                         size_t count, struct text *out);

#endif
