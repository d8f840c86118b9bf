/* A request of our own: to an authentication service, a mirror, a health check. The response is gathered whole, up
 * to a limit, and handed over once. Runs on the worker's (or the control thread's) loop. Interim responses are passed over,
 * redirections are not followed; a stale idle connection is replaced once, if asking twice can do no harm.
 *
 * Ownership: a fetch is reference-free and owns an arena; fetch_start takes it, `on_done` is called exactly once (not
 * before fetch_start returns), and the fetch is freed after on_done returns. fetch_cancel ends it without on_done. */
#ifndef UPSTREAM_FETCH_H
#define UPSTREAM_FETCH_H

#include "upstream/connect.h"

struct fetch {
    struct worker *worker;
    struct arena arena;                  /* for the head and what the caller needs along */
    struct server *server;               /* one reference is held; set by the caller before the start */
    const struct transport *transport;
    struct request request;              /* built by the caller in `arena`; authority, path, query, fields */
    struct chunkq body;                  /* to send; request.body_length says how long */
    int64_t timeout;                     /* ns for everything; 0: none */
    size_t max_body;                     /* response bytes that are kept; more ends it with RESPONSE_TOO_LARGE */
    bool discard_body;                   /* read and drop the response's body (mirrors) */
    bool repeatable;                     /* asking twice does no harm whatever the method is */
    void (*on_done)(struct fetch *fetch, enum status status);
    void *owner;
    /* The outcome: valid in on_done. */
    struct response response;            /* its trailers too */
    struct str response_body;
    const char *detail;                  /* more about a failure; NULL: nothing */
};

/* NULL when the worker has no buffers left. */
struct fetch *fetch_new(struct worker *worker);
void fetch_start(struct fetch *fetch);
void fetch_cancel(struct fetch *fetch);
/* From its place in upstream_fetches. */
struct fetch *fetch_of(struct list *link);
/* Before the start: one that is not wanted after all. */
void fetch_free(struct fetch *fetch);

#endif
