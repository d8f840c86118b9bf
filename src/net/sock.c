/* Owns the system calls on connected sockets and what their answers mean. Never retries, never buffers. */
#include "net/sock.h"
#include "net/call.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <unistd.h>

static void on_ready(struct watch *watch, unsigned events)
{
    struct sock *sock = container_of(watch, struct sock, watch);
    if (events & (WATCH_READ | WATCH_HANGUP | WATCH_ERROR))
        sock->readable = true;
    if (events & (WATCH_WRITE | WATCH_ERROR))
        sock->writable = true;
    if (events & (WATCH_HANGUP | WATCH_ERROR)) {
        sock->peer_done = sock->peer_done || (events & WATCH_HANGUP) != 0;
        sock->broken = sock->broken || (events & WATCH_ERROR) != 0;
    }
    sock->on_event(sock, events);
}

bool sock_owns(const struct watch *watch)
{
    return watch->on_ready == on_ready;
}

void sock_init(struct sock *sock, struct loop *loop, void (*on_event)(struct sock *sock, unsigned events))
{
    *sock = (struct sock){.watch = {.on_ready = on_ready, .fd = -1}, .loop = loop, .on_event = on_event};
}

static bool adopted(bool watched, int fd)
{
    int error = errno;
    if (!watched)
        close(fd);
    errno = error;
    return watched;
}

bool sock_take(struct sock *sock, int fd, bool readable)
{
    sock->readable = readable;
    sock->writable = true;
    sock->connecting = sock->peer_done = sock->broken = sock->told_of_room = false;
    return adopted(loop_watch_reading(sock->loop, &sock->watch, fd), fd);
}

static bool take_ours(struct sock *sock, int fd, bool connected)
{
    sock->writable = connected;
    sock->connecting = !connected;
    sock->readable = sock->peer_done = sock->broken = false;
    sock->told_of_room = true;
    return adopted(loop_watch(sock->loop, &sock->watch, fd), fd);
}

static enum status connect_status(int error)
{
    switch (error) {
    case ECONNREFUSED:
    case ECONNRESET:
    case EAGAIN: /* a Unix socket whose queue is full */
        return STATUS_UPSTREAM_REFUSED;
    case ETIMEDOUT:
        return STATUS_UPSTREAM_CONNECT_TIMEOUT;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:        /* of epoll watches */
    case EADDRNOTAVAIL: /* of local ports */
        return STATUS_OVERLOADED;
    default:
        return STATUS_UPSTREAM_UNREACHABLE;
    }
}

/* A socket ready to connect, or -1 with errno. */
static bool bind_from(int fd, const struct addr *to, const struct sock_from *from)
{
    if (from->keep_alive)
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
    if (from->addr.len == 0 || from->addr.any.sa_family != to->any.sa_family)
        return true;
    if (from->transparent && to->any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &(int){1}, sizeof(int));
    else if (from->transparent)
        setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &(int){1}, sizeof(int));
    /* The port is chosen at connect, when the whole 4-tuple is known, not here, where 28,000 would be all. */
    if (addr_port(&from->addr) == 0)
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    else
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    return bind(fd, &from->addr.any, from->addr.len) == 0;
}

static int open_towards(const struct addr *to, const struct sock_from *from)
{
    int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (to->any.sa_family != AF_UNIX) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        congestion_set(fd, to, from != NULL ? from->congestion : "");
    }
    if (from == NULL || bind_from(fd, to, from))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

enum status sock_connect(struct sock *sock, const struct addr *to, const struct sock_from *from)
{
    assert(sock->watch.fd < 0);
    int fd = open_towards(to, from);
    if (fd < 0)
        return connect_status(errno);
    bool connected = connect(fd, &to->any, to->len) == 0;
    if (!connected && errno != EINPROGRESS) {
        enum status status = connect_status(errno);
        close(fd);
        return status;
    }
    if (!take_ours(sock, fd, connected))
        return connect_status(errno);
    return connected ? STATUS_OK : STATUS_AGAIN;
}

enum status sock_connect_result(struct sock *sock)
{
    if (!sock->connecting)
        return STATUS_OK;
    if (!sock->broken && !sock->peer_done) {
        sock->connecting = !sock->writable;
        return sock->writable ? STATUS_OK : STATUS_AGAIN;
    }
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(sock->watch.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error != 0)
        return connect_status(error);
    /* Connected, and the peer has closed already: reads will tell. */
    sock->connecting = false;
    return STATUS_OK;
}

bool sock_move(struct sock *to, struct sock *from)
{
    assert(to->watch.fd < 0 && from->watch.fd >= 0);
    to->readable = from->readable;
    to->writable = from->writable;
    to->peer_done = from->peer_done;
    to->broken = from->broken;
    to->connecting = from->connecting;
    to->buffered = from->buffered;
    to->told_of_room = from->told_of_room;
    to->layer = from->layer;
    to->layer_state = from->layer_state;
    from->layer = NULL;
    from->layer_state = NULL;
    from->readable = from->writable = from->buffered = false;
    if (to->layer != NULL)
        to->layer->moved(to);
    if (loop_watch_move(to->loop, &to->watch, &from->watch, to->told_of_room))
        return true;
    sock_close(to);
    return false;
}

static void release_layer(struct sock *sock, bool orderly)
{
    if (sock->layer != NULL)
        sock->layer->release(sock, orderly);
    sock->layer = NULL;
    sock->layer_state = NULL;
    sock->buffered = false;
}

void sock_close(struct sock *sock)
{
    if (sock->watch.fd < 0)
        return;
    release_layer(sock, true);
    close(sock->watch.fd);
    sock->watch.fd = -1;
    sock->readable = sock->writable = sock->connecting = false;
}

void sock_reset(struct sock *sock)
{
    if (sock->watch.fd < 0)
        return;
    release_layer(sock, false);
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(sock->watch.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    sock_close(sock);
}

void sock_shutdown(struct sock *sock)
{
    if (sock->watch.fd < 0)
        return;
    if (sock->layer != NULL)
        sock->layer->shutdown(sock);
    shutdown(sock->watch.fd, SHUT_WR);
}

/* Until an event says that there is room again. Most sockets are never full: those that are pay a call for being told, once. */
static void await_room(struct sock *sock)
{
    sock->writable = false;
    if (sock->told_of_room)
        return;
    sock->told_of_room = true;
    bool watched = loop_watch_writing_too(sock->loop, &sock->watch);
    assert(watched);
}

static enum status failed_to_read(struct sock *sock)
{
    if (errno == EAGAIN) {
        sock->readable = false;
        return STATUS_AGAIN;
    }
    sock->broken = true;
    return STATUS_IO_ERROR;
}

static enum status failed_to_write(struct sock *sock)
{
    if (errno == EAGAIN) {
        await_room(sock);
        return STATUS_AGAIN;
    }
    sock->broken = true;
    return STATUS_IO_ERROR;
}

/* A reset leaves EPIPE where the peer had ended its direction before, else ECONNRESET; reads do not take it off, as they see the
 * end first. */
static bool was_ended_before_reset(int fd)
{
    int error = 0;
    socklen_t length = sizeof(error);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == EPIPE;
}

/* The peer's end acknowledges all that had come until then: what is not acknowledged when it is here came too late. */
bool sock_peer_missed(const struct sock *sock, uint64_t bytes)
{
    struct tcp_info info;
    socklen_t length = sizeof(info);
    int unacknowledged = 0;
    if (sock->layer != NULL || getsockopt(sock->watch.fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
        return false;
    bool ended_first = info.tcpi_state == TCP_CLOSE_WAIT || (info.tcpi_state == TCP_CLOSE && was_ended_before_reset(sock->watch.fd));
    return ended_first && ioctl(sock->watch.fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged >= 0 &&
           (uint64_t)unacknowledged >= bytes;
}

enum status sock_read(struct sock *sock, void *buffer, size_t size, size_t *ret_got)
{
    if (sock->layer != NULL)
        return sock->layer->read(sock, buffer, size, ret_got);
    return sock_read_plain(sock, buffer, size, ret_got);
}

enum status sock_read_plain(struct sock *sock, void *buffer, size_t size, size_t *ret_got)
{
    assert(size > 0);
    if (!sock->readable)
        return STATUS_AGAIN;
    ssize_t got = call_recv(sock->watch.fd, buffer, size, 0);
    if (got < 0)
        return failed_to_read(sock);
    if (got == 0) {
        sock->peer_done = true;
        return STATUS_END;
    }
    /* A short read has drained the socket, and what comes later is a new edge. The peer's end may have had its
     * edge already: then only reading on finds it. */
    if ((size_t)got < size && !sock->peer_done)
        sock->readable = false;
    *ret_got = (size_t)got;
    return STATUS_OK;
}

/* send spares the kernel the copy of a message header; a single vector is the common case. */
static ssize_t send_vector(int fd, const struct iovec *vector, int count, int flags)
{
    if (count == 1)
        return call_send(fd, vector->iov_base, vector->iov_len, flags);
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)vector, .msg_iovlen = (size_t)count};
    return call_sendmsg(fd, &message, flags);
}

enum status sock_write(struct sock *sock, const struct iovec *vector, int count, bool more, size_t *ret_sent)
{
    if (sock->layer != NULL)
        return sock->layer->write(sock, vector, count, more, ret_sent);
    return sock_write_plain(sock, vector, count, more, ret_sent);
}

enum status sock_write_plain(struct sock *sock, const struct iovec *vector, int count, bool more, size_t *ret_sent)
{
    if (!sock->writable)
        return STATUS_AGAIN;
    size_t asked = 0;
    for (int i = 0; i < count; i++)
        asked += vector[i].iov_len;
    assert(asked > 0);
    ssize_t sent = send_vector(sock->watch.fd, vector, count, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (sent < 0)
        return failed_to_write(sock);
    if ((size_t)sent < asked)
        await_room(sock);
    *ret_sent = (size_t)sent;
    return STATUS_OK;
}

void sock_gather(const struct sock *sock, int bytes)
{
    assert(sock->layer == NULL);
    setsockopt(sock->watch.fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes));      /* refused: it is as it was */
}

enum status sock_splice_in(struct sock *sock, int pipe, size_t max, size_t *ret_moved)
{
    assert(sock->layer == NULL);
    if (!sock->readable)
        return STATUS_AGAIN;
    ssize_t moved = splice(sock->watch.fd, NULL, pipe, NULL, max, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (moved < 0)
        return failed_to_read(sock);
    if (moved == 0) {
        sock->peer_done = true;
        return STATUS_END;
    }
    /* Short may mean that the pipe has no slots left, so it says nothing about the socket. */
    *ret_moved = (size_t)moved;
    return STATUS_OK;
}

enum status sock_splice_out(struct sock *sock, int pipe, size_t max, bool more, size_t *ret_moved)
{
    assert(sock->layer == NULL);
    if (!sock->writable)
        return STATUS_AGAIN;
    unsigned flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | (more ? SPLICE_F_MORE : 0);
    ssize_t moved = splice(pipe, NULL, sock->watch.fd, NULL, max, flags);
    if (moved < 0)
        return failed_to_write(sock);
    if ((size_t)moved < max)
        await_room(sock);
    *ret_moved = (size_t)moved;
    return moved > 0 ? STATUS_OK : STATUS_AGAIN;
}

enum status sock_send_file(struct sock *sock, int file, off_t *offset, size_t max, bool more, size_t *ret_moved)
{
    assert(sock->layer == NULL);
    if (!sock->writable)
        return STATUS_AGAIN;
    ssize_t moved = sendfile(sock->watch.fd, file, offset, max);
    if (moved < 0)
        return failed_to_write(sock);
    /* Short may mean that the file was truncated, so it says nothing about the socket. */
    *ret_moved = (size_t)moved;
    return moved > 0 ? STATUS_OK : STATUS_END;
}
