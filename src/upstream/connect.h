/* A connection to a server for one request: an idle one of this worker, one that other requests share (HTTP/2), or a new one.
 *
 * Threading: the worker's. The stream struct is the caller's (inside its exchange or fetch); it stays valid until
 * stream->ops->release. */
#ifndef UPSTREAM_CONNECT_H
#define UPSTREAM_CONNECT_H

#include "http/stream.h"
#include "net/sock.h"
#include "net/worker.h"
#include "upstream/server.h"

struct lazy_certificates;

/* How connections to a service's servers are made: compiled from transport_config, shared, const. A request has one of its own where
 * its certificate is chosen by variables. */
struct transport {
    struct str name;
    int64_t dial_timeout, response_header_timeout, idle_timeout, read_timeout;   /* ns; 0: none */
    int64_t send_timeout, tunnel_timeout, max_age;
    uint64_t max_requests;              /* that a connection of HTTP/1 takes; 0: any number */
    const struct sock_from *from;       /* NULL: anything */
    uint64_t from_identity;             /* 0: anything */
    bool bare_feeds;                    /* lines of responses may end with a bare LF */
    bool transparent;                   /* addresses that are only known with a request may be none of this host's */
    int64_t read_idle_timeout, ping_timeout;        /* HTTP/2 */
    unsigned max_idle;                  /* per server and worker */
    uint32_t max_head_bytes;
    const struct tls_client *tls;       /* for https servers */
    uint64_t tls_identity;              /* of the options behind `tls` and `h2`: connections made by others are not used */
    bool h2;                            /* offered to https servers */
    struct lazy_certificates *shown;    /* what chooses `certificate` for a request (exchange/lazy_certificates.h); NULL: nothing does */
    struct certificate *certificate;    /* shown instead of those of `tls`; NULL: those */
};

/* Connections that were made otherwise are not used. */
static inline uint64_t transport_identity(const struct transport *transport, const struct server *server)
{
    return (server->secure ? transport->tls_identity : 0) ^ transport->from_identity;
}

enum upstream_wish {
    UPSTREAM_FRESH = 1,       /* no connection that has been idle: a retry after a stale one */
    UPSTREAM_UPGRADE = 2,     /* the request asks for another protocol: by HTTP/1.1 */
    UPSTREAM_WEBSOCKET = 4,   /* with UPGRADE: for WebSocket, so an extended CONNECT will do as well */
};

/* The caller has set stream->{on_facts, owner, arena}, and keeps server and transport until the stream is released. `wishes`:
 * of enum upstream_wish.
 *   OK     ready: send_head may be called (stream->reused says if on an old connection)
 *   AGAIN  connecting: FACT_WRITABLE follows, or FACT_CLOSED with why
 *   else   why not; the stream is not bound and must not be released. */
enum status upstream_open(struct worker *worker, struct server *server, const struct transport *transport,
                          unsigned wishes, struct upstream_stream *stream);

/* A configuration of this generation runs now: idle connections to servers that it does not name are closed, and those that
 * become idle later too. */
void upstream_sweep(struct worker *worker, uint64_t generation);
/* All of them, and the fetches under way are cancelled; at the end of a worker, whose loop turns once more to free them. */
void upstream_forget_all(struct worker *worker);
/* The worker's fetches under way: for upstream/fetch.c. */
struct list *upstream_fetches(struct worker *worker);
/* The names that the worker remembers for its requests (upstream/lookup.h). */
struct lookups *upstream_lookups(struct worker *worker);
/* How many are idle now, for metrics. */
unsigned upstream_idle_count(const struct worker *worker);

#endif
