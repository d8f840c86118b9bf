/* One server behind us: its address, its state, its measures. Shared by all workers and by successive snapshots:
 * a server with the same key (service and URL) is the same struct, so health, load and slow start survive a reload.
 *
 * Ownership: reference-counted; snapshots hold references, an attempt under way holds one. The registry (one per
 * process) forgets a server when the last reference goes.
 * Threading: the plain members are const after server_get; the atomics may be used by any thread; addresses are read
 * under `lock` (held for a copy, never across a call). */
#ifndef UPSTREAM_SERVER_H
#define UPSTREAM_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/status.h"
#include "net/addr.h"

#define SERVER_ADDRESSES_MAX 16

enum server_state {
    SERVER_READY,           /* may be picked */
    SERVER_DRAINING,        /* no new requests but those that stick to it */
    SERVER_DOWN             /* by an operator, or gone from discovery */
};

struct server {
    struct list link;               /* in the registry */
    struct str key;                 /* "service@provider|http://10.0.0.1:80" */
    struct str url;                 /* as configured, without a trailing slash */
    struct str scheme;              /* "http" */
    struct str authority;           /* "10.0.0.1:8000": for Host when passHostHeader is false, and logs */
    struct str host;                /* name or literal to connect to; a path for unix sockets */
    struct str base_path;           /* the URL's path, without a trailing slash: joined in front of the request's */
    uint16_t port;
    bool unix_socket, named;        /* named: the host needs DNS */
    unsigned slot;                  /* small number, unique among the living: index into per-worker pools */
    uint64_t id_hash;               /* of the URL: sticky cookies, rendezvous */
    _Atomic unsigned refs;

    _Atomic int state;              /* enum server_state */
    _Atomic bool healthy;           /* by active checks; true where there are none */
    _Atomic int64_t ejected_until;  /* by passive checks: monotonic ns, 0: not ejected */
    _Atomic int64_t ready_since;    /* monotonic ns at which it last became ready: slow start; 0: from the first */
    _Atomic uint32_t active;        /* requests under way */
    _Atomic uint64_t requests;      /* ever begun */
    _Atomic int64_t response_ewma;  /* ns to the first byte, weighted average; 0: none yet */
    _Atomic(const char *) why_down; /* literal or status text; NULL while up */

    pthread_mutex_t lock;
    struct addr addresses[SERVER_ADDRESSES_MAX];
    unsigned address_count;         /* 0: the name is not resolved (yet) */
    bool resolve_failed;
    unsigned next_address;

    _Atomic uint32_t window_failures;    /* passive checks: failures in the present window */
    _Atomic int64_t window_began;
};

/* Parses "http://host[:port][/path]", "h2c://" is refused here, "unix:/path" and "http+unix:". False with a reason. */
bool server_url_check(struct str url, const char **ret_why);
/* The server of a service, made when it is new (one reference for the caller). NULL: bad URL. Control thread. */
struct server *server_get(struct str service, struct str url);
struct server *server_ref(struct server *server);
void server_unref(struct server *server);
/* For a service that has just started to name it: is it ready to be picked? One place decides. */
bool server_is_ready(const struct server *server, int64_t now);
/* An address to connect to, in turn; false while the name is not resolved. */
bool server_next_address(struct server *server, struct addr *ret_addr);

#endif
