/* One server behind us: its address, its state, its measures. Shared by all workers and by successive snapshots:
 * a server with the same key (service and URL) is the same struct, so health, load and slow start survive a reload.
 *
 * Ownership: reference-counted; snapshots (which exchanges pin) and connections hold references. The registry (one per
 * process) forgets a server when the last reference goes.
 * Threading: the plain members are const after server_get; the atomics may be used by any thread; addresses are read
 * under `lock` (held for a copy, never across a call). References may be given back on any thread. */
#ifndef UPSTREAM_SERVER_H
#define UPSTREAM_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/meter.h"
#include "base/status.h"
#include "net/addr.h"

#define SERVER_ADDRESSES_MAX 16
/* ns that an address which refused us is passed over while the server has others. */
#define SERVER_ADDRESS_PENALTY INT64_C(10000000000)

enum server_state {
    SERVER_READY,           /* may be picked */
    SERVER_DRAINING,        /* no new requests but those that stick to it */
    SERVER_DOWN,            /* an operator took it out: sticky ones go elsewhere too */
    SERVER_AS_CONFIGURED    /* for `ordered` */
};

/* A server's URL in its parts; views into it. */
struct server_url {
    struct str scheme, authority, host, path;    /* path without a trailing slash: "" or "/base" */
    uint16_t port;
    bool unix_socket;       /* host is the socket's path, authority "localhost" */
    bool secure, h2c;       /* https; HTTP/2 without TLS */
};

/* Whether a server under TLS speaks HTTP/2, as far as ALPN has told. */
enum server_h2 { SERVER_H2_UNKNOWN, SERVER_H2_NO, SERVER_H2_YES };

struct server_health;       /* upstream/health.c's own */
struct server_meters;       /* upstream/server_meters.c's own */
struct resolution;          /* upstream/resolve.c's own */

enum server_leaving { SERVER_STAYS, SERVER_LEAVING, SERVER_GONE };

/* What one worker has to do with a server: written with each request, by that worker alone, on a line of its own. */
struct server_tally {
    _Atomic uint32_t active;        /* requests under way */
    _Atomic uint64_t requests;      /* ever begun */
    _Atomic int64_t response_ewma;  /* ns to the first byte, weighted average; 0: none yet (upstream/measure.h) */
    _Atomic int64_t measured_at;    /* monotonic ns of the last measure */
};

struct server {
    struct str key;                 /* "service@provider|http://10.0.0.1:80" */
    struct str service;             /* "service@provider": a view into key */
    struct str url;                 /* as configured, without a trailing slash: a view into key */
    struct str scheme;              /* "http", "https" or "h2c" */
    struct str authority;           /* "10.0.0.1:8000": for Host when passHostHeader is false, and logs */
    struct str host;                /* name or literal to connect to; a path for unix sockets */
    struct str base_path;           /* the URL's path, without a trailing slash: joined in front of the request's */
    uint16_t port;
    bool unix_socket, named;        /* named: the host needs DNS */
    bool called;                    /* authority and host are of a name, which was found to have the URL's address */
    bool secure, h2c;               /* https; HTTP/2 without TLS */
    unsigned slot;                  /* small number, unique among the living: index into per-worker pools */
    uint64_t serial;                /* never given twice: tells a slot's former owner from its present one */
    uint64_t id_hash;               /* of the URL, the same in every run: sticky cookies, rendezvous */
    _Atomic unsigned refs;
    _Atomic uint64_t generation;    /* the last configuration that named it: see server_new_generation; 0: it is leaving */

    _Atomic(struct meter *) meter;  /* requests sent there; NULL: nobody counts. Another one when the buckets change */
    _Atomic(struct meter *) counts; /* the joint of its service's meter and this one: counts answers of the server */
    _Atomic bool is_ordered;        /* one of the next three says something: all that is looked at for a request while none does */
    _Atomic int leaving;            /* enum server_leaving: see server_set_leaving */
    _Atomic int ordered;            /* what an operator wants instead of what is configured (struct target): enum server_state */
    _Atomic int ordered_weight;     /* as above; -1: as configured */
    _Atomic bool healthy;           /* by active checks; true where there are none */
    _Atomic int speaks_h2;          /* enum server_h2 */
    _Atomic int64_t ejected_until;  /* by passive checks: monotonic ns, 0: not ejected (upstream/passive.h) */
    _Atomic int64_t ready_since;    /* monotonic ns at which it last became ready: slow start; 0: from the first */
    _Atomic bool is_weighed;        /* somebody goes by what it has to do: see server_weigh */
    _Atomic(struct server_tally *) *tallies;      /* by worker, the control thread's last; NULL: it sent nothing yet */
    unsigned tally_count;
    _Atomic(const char *) why_down; /* literal or status text; NULL while up */
    _Atomic int check_status;       /* of the last active check's response; 0: none came */

    /* All workers' together, kept only while it is weighed; apart from what every request reads. */
    char apart[64];
    _Atomic uint32_t active;
    _Atomic int64_t response_ewma, measured_at;
    char apart_too[64];

    pthread_mutex_t lock;
    struct addr addresses[SERVER_ADDRESSES_MAX];
    int64_t penalty_until[SERVER_ADDRESSES_MAX];    /* monotonic ns: the address refused us */
    unsigned address_count;         /* 0: the name is not resolved (yet) */
    bool resolve_failed;            /* the last look-up gave nothing; former addresses stay in use */
    unsigned next_address;

    _Atomic uint32_t window_failures;    /* passive checks: failures in the present window */
    _Atomic int64_t window_began;
    _Atomic bool probing;                /* a request is under way whose success ends the ejection */

    /* The control thread's. */
    struct server_meters *former_meters;    /* that a worker may still be counting in */
    struct server_health *health;
    struct resolution *resolution;
};

/* Takes "http://host[:port][/path]" (https and h2c too), "unix:/path" and "http+unix:///path" apart. NULL when good, else what is wrong with
 * it, as a literal. */
const char *server_url_parse(struct str url, struct server_url *ret_parts);
/* The same as an option_check. */
const char *server_url_check(struct str url, struct arena *arena, size_t *ret_offset, size_t *ret_length);
/* The URL as far as its path: "http://a:80/base/" gives "http://a:80". Of a good URL only. */
struct str server_url_origin(struct str url);

/* A hash of a URL or a name that is the same in every run and on every machine: a cookie outlives a restart, and neighbours
 * agree on rendezvous. */
uint64_t server_stable_hash(struct str text);

/* The server of a service, made when it is new (one reference for the caller). NULL: bad URL. Control thread. A named one
 * is resolved from then on, if the resolver runs. */
struct server *server_get(struct str service, struct str url);
/* The same for an address that a name was found to have: the URL says where it is, `authority` ("example.net:8080") what it is called
 * in Host and in handshakes. */
struct server *server_get_called(struct str service, struct str url, struct str authority);
/* No configuration names it from now on, though the running one did: its connections are not kept, unless it is got again. */
void server_forget(struct server *server);
/* A configuration begins to be compiled: the servers it gets are stamped with its generation, so that connections to those
 * it leaves out can be told (upstream_sweep). */
void server_new_generation(uint64_t generation);
/* How servers are counted from now on, each as soon as a configuration names it: by so many workers (0: by none), with these
 * buckets. Control thread. */
void server_count_by(unsigned workers, const struct meter_bounds *bounds);
struct server *server_ref(struct server *server);
void server_unref(struct server *server);
/* For upstream/resolve.c, which has the last word on servers with a name. */
void server_free(struct server *server);
/* Calls `each` for every living server, with the registry locked: it must not get or unref one. */
void server_for_each(void (*each)(struct server *server, void *owner), void *owner);
/* One more than the highest slot in use. */
unsigned server_slot_count(void);

/* What an operator orders: it holds until it is taken back (SERVER_AS_CONFIGURED, -1), through reloads that keep the server,
 * not through a restart. A server that may be picked again starts slowly, where that is configured. Control thread. */
void server_order(struct server *server, enum server_state state);
void server_order_weight(struct server *server, int weight);

/* It is about to stop: it is asked only where no other server of its service is ready, and over new connections, for it closes the
 * idle ones at any moment. What is under way goes on. Once it stays after all (or runs again at the same address) it counts as new.
 * The configuration that is published next has the last word (struct target). Any thread. */
void server_note_leaving(struct server *server, enum server_leaving leaving);
/* The same for the servers of all services at this URL's address, at once and before any new configuration. GONE: nobody is there
 * any more, and the address may be somebody else's in a moment: it is not asked at all. */
void server_set_leaving(struct str url, enum server_leaving leaving);

/* Whether it may be picked is decided in one place, target_is_open (upstream/balancer.h): that also knows what is configured.
 * Here is what it needs of the server alone. */
static inline bool server_is_ordered(const struct server *server)
{
    return __builtin_expect(atomic_load_explicit(&server->is_ordered, memory_order_relaxed), 0);
}
static inline bool server_is_leaving(const struct server *server)
{
    return atomic_load_explicit(&server->leaving, memory_order_relaxed) != SERVER_STAYS;
}
static inline bool server_is_gone(const struct server *server)
{
    return atomic_load_explicit(&server->leaving, memory_order_relaxed) == SERVER_GONE;
}
static inline bool server_is_healthy(const struct server *server)
{
    return atomic_load_explicit(&server->healthy, memory_order_relaxed);
}
/* Healthy, and not ejected by passive checks. */
static inline bool server_is_well(const struct server *server, int64_t now)
{
    int64_t ejected_until = atomic_load_explicit(&server->ejected_until, memory_order_relaxed);
    return server_is_healthy(server) && (ejected_until == 0 || now >= ejected_until);
}
/* As far as is known without its configuration: nobody ordered it out, and it is healthy; well besides. */
static inline bool server_is_up(const struct server *server)
{
    int ordered = atomic_load_explicit(&server->ordered, memory_order_relaxed);
    return ordered != SERVER_DRAINING && ordered != SERVER_DOWN && server_is_healthy(server);
}
static inline bool server_is_ready(const struct server *server, int64_t now)
{
    return server_is_up(server) && server_is_well(server, now);
}
/* May a request that sticks to it still go there? */
static inline bool server_takes_sticky(const struct server *server, int64_t now)
{
    return server_is_well(server, now) &&
           (!server_is_ordered(server) || (!server_is_leaving(server) &&
                                           atomic_load_explicit(&server->ordered, memory_order_relaxed) != SERVER_DOWN));
}

/* A balancer or a limit goes by `active` or the measures: from now on they are kept for all workers together, which costs those
 * that send requests there a line of memory that they all write. Control thread. */
static inline void server_weigh(struct server *server)
{
    atomic_store_explicit(&server->is_weighed, true, memory_order_relaxed);
}

/* A request begins and ends there: on which worker, and whether it was weighed, as server_begin said. */
struct server_tally *server_new_tally(struct server *server, unsigned worker);
static inline struct server_tally *server_tally(struct server *server, unsigned worker)
{
    struct server_tally *tally = atomic_load_explicit(&server->tallies[worker], memory_order_relaxed);
    return __builtin_expect(tally != NULL, 1) ? tally : server_new_tally(server, worker);
}
static inline bool server_begin(struct server *server, unsigned worker)
{
    struct server_tally *tally = server_tally(server, worker);
    atomic_store_explicit(&tally->active, atomic_load_explicit(&tally->active, memory_order_relaxed) + 1, memory_order_relaxed);
    atomic_store_explicit(&tally->requests, atomic_load_explicit(&tally->requests, memory_order_relaxed) + 1, memory_order_relaxed);
    if (!atomic_load_explicit(&server->is_weighed, memory_order_relaxed))
        return false;
    atomic_fetch_add_explicit(&server->active, 1, memory_order_relaxed);
    return true;
}
static inline void server_end(struct server *server, unsigned worker, bool weighed)
{
    struct server_tally *tally = server_tally(server, worker);
    atomic_store_explicit(&tally->active, atomic_load_explicit(&tally->active, memory_order_relaxed) - 1, memory_order_relaxed);
    if (weighed)
        atomic_fetch_sub_explicit(&server->active, 1, memory_order_relaxed);
}
/* For people: of all workers together, under way and ever begun. */
uint32_t server_active(const struct server *server);
uint64_t server_requests(const struct server *server);

/* An address to connect to, in turn; false while the name is not resolved. */
bool server_next_address(struct server *server, struct addr *ret_addr);
/* A connection to this address failed: others come first for a while. */
void server_address_failed(struct server *server, const struct addr *addr);
/* The name's addresses as they are now; at most SERVER_ADDRESSES_MAX are kept. */
void server_set_addresses(struct server *server, const struct ip *addresses, size_t count);
/* How many there are, copied to `out` (SERVER_ADDRESSES_MAX); for people. */
unsigned server_addresses(struct server *server, struct addr *out);

#endif
