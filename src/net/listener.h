/* A listening socket of one worker. Every worker binds its own with SO_REUSEPORT, so the kernel spreads
 * connections and none is handed over.
 *
 * Accepts one in a turn, and more where turn after turn somebody waits; TCP_NODELAY is inherited. When descriptors run out, accepting
 * pauses for a moment instead of spinning. Closing first accepts what already waits in the queue, so a removed
 * entrypoint loses nobody. */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "net/addr.h"
#include "net/congestion.h"
#include "net/loop.h"

struct listener {
    struct watch watch;
    struct loop *loop;
    struct timer pause;
    /* A connected, non-blocking, close-on-exec socket: the callee's now. */
    void (*on_accept)(struct listener *listener, int fd, const struct addr *peer);
    void *owner;
    bool unix_socket;
    uint32_t turn;              /* the loop's, in which somebody waited last */
    unsigned streak;            /* turns without a break in which somebody waited */
};

/* How it is listened; zeros are what is usual. */
struct listen_options {
    int backlog;
    bool ipv6_only;             /* "[::]" has no IPv4 connections */
    bool no_keep_alive;         /* silent peers are not probed */
    bool deferred;              /* a connection is accepted when its first bytes have come, or a second has passed */
    int keep_idle, keep_interval, keep_count;     /* seconds, seconds and probes */
    char congestion[CONGESTION_NAME_SIZE];        /* net/congestion.h; empty: nothing is asked for */
    int mode;                   /* of a Unix socket's file; 0: as the umask says */
};

/* Binds and listens without a loop: by the control thread, so that a bad address is known before anything
 * changes. *ret_error: errno. -1 on failure. A stale Unix socket file is replaced. */
int listener_bind(const struct addr *address, int backlog, int *ret_error);
int listener_bind_with(const struct addr *address, const struct listen_options *options, int *ret_error);
/* Removes the file of a Unix socket that nobody listens behind. True: it was there. */
bool listener_remove_stale(const struct addr *address);
/* Does somebody listen on this port already? Sockets with SO_REUSEPORT let each other in, so binding does not tell. */
bool listener_is_taken(const struct addr *address);
/* Takes a bound descriptor and begins to accept. */
bool listener_start(struct listener *listener, struct loop *loop, int fd);
/* Accepts what waits, then closes. */
void listener_stop(struct listener *listener);

#endif
