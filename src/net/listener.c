/* Owns listening sockets. Refuses to hold on to what it accepted: a connection is the callee's at once. */
#include "net/listener.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

/* After 2^7 the rest waits for the next turn, so a burst does not starve the connections we have. */
#define DOUBLINGS 7
#define TURNS_TO_DOUBLE 8
#define ACCEPTS_TO_LOOK 8           /* at the clock: an accept takes some microseconds, and what its owner does comes to it */
#define PAUSE (100 * TIME_MS)
/* As Go, and so Traefik; the system gives up after nine. */
#define KEEPALIVE_SECONDS 15

/* ---- binding ---- */

static bool is_any_v6(const struct addr *address)
{
    return address->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
}

static void set_keep_alive(int fd, const struct listen_options *options)
{
    int on = !options->no_keep_alive;
    int idle = options->keep_idle != 0 ? options->keep_idle : KEEPALIVE_SECONDS;
    int interval = options->keep_interval != 0 ? options->keep_interval : KEEPALIVE_SECONDS;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    if (options->keep_count != 0)
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &options->keep_count, sizeof(options->keep_count));
}

static void set_options(int fd, const struct addr *address, const struct listen_options *options)
{
    sa_family_t family = address->any.sa_family;
    int ipv6_only = options->ipv6_only;
    if (family == AF_UNIX)
        return;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int));
    /* Accepted sockets inherit all that follows, which spares them a call each. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    /* A client that has vanished is noticed where no limit of time ends its connection: behind a tunnel. */
    set_keep_alive(fd, options);
    congestion_set(fd, address, options->congestion);
    if (options->deferred)
        setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &(int){1}, sizeof(int));
    /* "[::]" is every address, IPv4 too, whatever the system's default. */
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &ipv6_only, sizeof(ipv6_only));
}

/* A socket file that nobody listens behind is left over from a process that ended. Other files refuse
 * connections just the same, and are none of our business. */
bool listener_remove_stale(const struct addr *address)
{
    struct stat found;
    if (lstat(address->un.sun_path, &found) != 0 || !S_ISSOCK(found.st_mode))
        return false;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return false;
    bool stale = connect(probe, &address->any, address->len) < 0 && errno == ECONNREFUSED;
    close(probe);
    return stale && unlink(address->un.sun_path) == 0;
}

static bool bind_and_listen(int fd, const struct addr *address, int backlog)
{
    if (bind(fd, &address->any, address->len) == 0)
        return listen(fd, backlog) == 0;
    if (errno != EADDRINUSE || address->any.sa_family != AF_UNIX)
        return false;
    if (!listener_remove_stale(address)) {
        errno = EADDRINUSE;
        return false;
    }
    return bind(fd, &address->any, address->len) == 0 && listen(fd, backlog) == 0;
}

bool listener_is_taken(const struct addr *address)
{
    if (address->any.sa_family == AF_UNIX || addr_port(address) == 0)
        return false;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    /* With SO_REUSEADDR only a socket that listens is in the way, none of a connection that ended. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    bool taken = bind(fd, &address->any, address->len) < 0 && errno == EADDRINUSE;
    close(fd);
    return taken;
}

/* Before anybody could connect to a file that is not meant for them, nor be refused by one that is. */
static bool bind_with_mode(int fd, const struct addr *address, const struct listen_options *options)
{
    if (!bind_and_listen(fd, address, options->backlog))
        return false;
    return options->mode == 0 || address->any.sa_family != AF_UNIX || chmod(address->un.sun_path, (mode_t)options->mode) == 0;
}

int listener_bind(const struct addr *address, int backlog, int *ret_error)
{
    return listener_bind_with(address, &(struct listen_options){.backlog = backlog}, ret_error);
}

int listener_bind_with(const struct addr *address, const struct listen_options *options, int *ret_error)
{
    struct addr v4_any = {.v4 = {.sin_family = AF_INET}, .len = sizeof(v4_any.v4)};
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EAFNOSUPPORT && is_any_v6(address)) {
        /* A kernel without IPv6: all addresses are the IPv4 ones. */
        v4_any.v4.sin_port = address->v6.sin6_port;
        address = &v4_any;
        fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    if (fd < 0) {
        *ret_error = errno;
        return -1;
    }
    set_options(fd, address, options);
    if (bind_with_mode(fd, address, options))
        return fd;
    *ret_error = errno;
    close(fd);
    return -1;
}

/* ---- accepting ---- */

static bool out_of_resources(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* One connection to the owner; false when there is nothing more to get now. */
static bool accept_one(struct listener *listener)
{
    struct addr peer;
    peer.len = sizeof(peer.un);
    int fd = accept4(listener->watch.fd, &peer.any, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        listener->on_accept(listener, fd, &peer);
        return true;
    }
    if (errno == EAGAIN)
        return false;
    if (out_of_resources(errno)) {
        /* The clients wait in the kernel's queue meanwhile; refusing them would help nobody. */
        loop_rewatch(listener->loop, &listener->watch, 0);
        timer_after(listener->loop, &listener->pause, PAUSE);
        return false;
    }
    /* Anything else (ECONNABORTED, a pending network error) is that one connection's. */
    assert(errno != EBADF && errno != EINVAL && errno != ENOTSOCK && errno != EFAULT);
    return true;
}

/* Asking when nobody waits is as dear as accepting: the kernel makes a socket and a file before it looks, and takes them
 * down again. Who is left is reported in the next turn, which comes at once, so one is taken a turn, and twice as many
 * each time that somebody has waited for some turns without a break. */
static unsigned accepts_now(struct listener *listener)
{
    bool waited = listener->loop->turn == listener->turn + 1;
    listener->turn = listener->loop->turn;
    listener->streak = waited ? listener->streak + 1 : 0;
    unsigned doublings = listener->streak / TURNS_TO_DOUBLE;
    return 1U << (doublings < DOUBLINGS ? doublings : DOUBLINGS);
}

static void on_ready(struct watch *watch, unsigned events)
{
    struct listener *listener = container_of(watch, struct listener, watch);
    for (unsigned left = accepts_now(listener); left != 0 && watch->fd >= 0; left--) {
        if (!accept_one(listener)) {
            listener->streak = 0;
            break;
        }
        if (left % ACCEPTS_TO_LOOK == 1 && left != 1 && loop_turn_is_long(listener->loop))
            break;
    }
}

static void on_pause_over(struct timer *timer)
{
    struct listener *listener = container_of(timer, struct listener, pause);
    loop_rewatch(listener->loop, &listener->watch, WATCH_READ);
}

bool listener_start(struct listener *listener, struct loop *loop, int fd)
{
    struct addr bound;
    bound.len = sizeof(bound.un);
    listener->loop = loop;
    listener->unix_socket = getsockname(fd, &bound.any, &bound.len) == 0 && bound.any.sa_family == AF_UNIX;
    listener->watch.on_ready = on_ready;
    timer_init(&listener->pause, on_pause_over);
    if (loop_watch_level(loop, &listener->watch, fd))
        return true;
    int error = errno;
    close(fd);
    errno = error;
    return false;
}

void listener_stop(struct listener *listener)
{
    int fd = listener->watch.fd;
    if (fd < 0)
        return;
    while (accept_one(listener))
        ;
    timer_cancel(&listener->pause);
    /* Not left to close: of a Unix socket every worker has a duplicate, and any of them would keep this
     * registration alive. */
    loop_unwatch(listener->loop, &listener->watch);
    close(fd);
}
