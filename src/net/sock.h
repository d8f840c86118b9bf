/* A connected, non-blocking byte stream: a TCP or Unix socket, or one with a layer (TLS) between it and its user's
 * bytes. Remembers what epoll said, so nobody calls into the kernel in vain: `readable` holds until a read came back
 * short, `writable` until a write did.
 *
 * Threading: the loop's. Ownership: embedded in the connection that uses it; sock_close closes the descriptor at
 * once, the memory stays the owner's (freed by loop_defer_free). */
#ifndef NET_SOCK_H
#define NET_SOCK_H

#include <sys/uio.h>

#include "base/status.h"
#include "net/addr.h"
#include "net/congestion.h"
#include "net/loop.h"

struct sock;

/* What stands between a socket and its user's bytes. The functions are those of sock_* below; `bytes` that the user
 * gave to a write that said AGAIN come first in the next one (a layer may have taken them in already). */
struct sock_layer {
    enum status (*read)(struct sock *sock, void *buffer, size_t size, size_t *ret_got);
    enum status (*write)(struct sock *sock, const struct iovec *vector, int count, bool more, size_t *ret_sent);
    void (*shutdown)(struct sock *sock);
    /* The socket is about to be closed: lets go of `layer_state`. `orderly`: the peer may be told first. */
    void (*release)(struct sock *sock, bool orderly);
    /* sock_move has brought the layer to this socket. */
    void (*moved)(struct sock *sock);
};

struct sock {
    struct watch watch;
    struct loop *loop;
    /* The owner's: events are WATCH_*, already noted in the flags below. */
    void (*on_event)(struct sock *sock, unsigned events);
    bool readable, writable;
    bool peer_done;             /* the peer closed its direction: reads go on until END */
    bool broken;                /* an error was reported */
    bool connecting;
    bool ending;                /* the owner's: it closes behind what its next write takes; a layer may say so with it */
    bool buffered;              /* the layer holds bytes that came: a read may give some although not `readable` */
    bool told_of_room;          /* events say when it may be written to again; not before a write had to wait */
    const struct sock_layer *layer;   /* NULL: plain */
    void *layer_state;
};

/* May a read give something? */
static inline bool sock_may_read(const struct sock *sock)
{
    return sock->readable || sock->buffered;
}

/* Is the watch a socket's? */
bool sock_owns(const struct watch *watch);
void sock_init(struct sock *sock, struct loop *loop, void (*on_event)(struct sock *sock, unsigned events));
/* Takes an accepted descriptor. A fresh client socket counts as readable (data often came with it) when
 * `readable` says so. False: registration failed; the descriptor is closed. */
bool sock_take(struct sock *sock, int fd, bool readable);
/* The socket becomes readable only when so many bytes wait (SO_RCVLOWAT), no more of them fit, or the peer has ended; 1: with any. Where
 * some wait and are enough now, an event follows. A system call; plain TCP only. */
void sock_gather(const struct sock *sock, int bytes);
/* Where a connection is made from, and how. */
struct sock_from {
    struct addr addr;             /* len 0: any */
    bool transparent;             /* the address may be none of this host's; not permitted: it is tried as it is */
    bool keep_alive;              /* SO_KEEPALIVE */
    char congestion[CONGESTION_NAME_SIZE];      /* net/congestion.h; empty: nothing is asked for */
};
/* Begins to connect, as `from` says unless NULL, without Nagle's delay. OK: connected at once (Unix);
 * AGAIN: on_event follows (sock_connect_result tells), else UPSTREAM_REFUSED, UPSTREAM_UNREACHABLE,
 * UPSTREAM_CONNECT_TIMEOUT, OVERLOADED (no descriptors, ports, memory); there is nothing to close then. */
enum status sock_connect(struct sock *sock, const struct addr *to, const struct sock_from *from);
/* After the first event of a connecting socket: OK, or why not (AGAIN: the event told nothing). One system call,
 * and only when something went wrong. */
enum status sock_connect_result(struct sock *sock);
/* Moves a connected socket, its layer and what was noted of it to the inited `to`: another owner takes over. What is ready
 * is reported again. False: registration failed, and the descriptor is closed. */
bool sock_move(struct sock *to, struct sock *from);
void sock_close(struct sock *sock);
/* So that the peer gets a reset instead of an orderly end: a response cut short must not look whole. */
void sock_reset(struct sock *sock);
/* Of the last `bytes` that were written, did the peer get any before it ended its direction? True: none, as its TCP never
 * acknowledged one, so nobody there can have read them. False: some, or this cannot be told (Unix sockets, layers). Three system
 * calls, of a TCP socket that gave END or an error. */
bool sock_peer_missed(const struct sock *sock, uint64_t bytes);
/* Ends our direction (FIN); the peer's goes on. */
void sock_shutdown(struct sock *sock);

/* `size` > 0. OK with *ret_got > 0; AGAIN; END; IO_ERROR (reset and its kin). A short read clears `readable`, so
 * that the next call is spared, unless the end is known to follow. */
enum status sock_read(struct sock *sock, void *buffer, size_t size, size_t *ret_got);
/* OK with *ret_sent > 0, perhaps less than asked; AGAIN; IO_ERROR. `more`: further bytes follow at once. */
enum status sock_write(struct sock *sock, const struct iovec *vector, int count, bool more, size_t *ret_sent);
/* Under a layer: the socket itself. As sock_read and sock_write of a plain one. */
enum status sock_read_plain(struct sock *sock, void *buffer, size_t size, size_t *ret_got);
enum status sock_write_plain(struct sock *sock, const struct iovec *vector, int count, bool more, size_t *ret_sent);
/* Without a layer only: socket -> pipe and pipe -> socket, `max` > 0. As above, but the pipe must be EMPTY for the first (else AGAIN could
 * mean that it is full) and hold at least `max` bytes for the second. What was moved before an error is
 * reported first. */
enum status sock_splice_in(struct sock *sock, int pipe, size_t max, size_t *ret_moved);
enum status sock_splice_out(struct sock *sock, int pipe, size_t max, bool more, size_t *ret_moved);
/* A stretch of a file. *offset moves. END: the file is shorter than that now. `more` is a wish that
 * sendfile has no flag for; the kernel joins what follows only if it comes before the last segment left. */
enum status sock_send_file(struct sock *sock, int file, off_t *offset, size_t max, bool more, size_t *ret_moved);

#endif
