/* The four system calls of every request, without what the C library adds around them for thread cancellation (which
 * nobody here uses): some thirty instructions each. Errors as the library's: -1 and errno. */
#ifndef NET_CALL_H
#define NET_CALL_H

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static inline ssize_t call_recv(int fd, void *buffer, size_t size, int flags)
{
    return syscall(SYS_recvfrom, fd, buffer, size, flags, NULL, NULL);
}

static inline ssize_t call_send(int fd, const void *buffer, size_t size, int flags)
{
    return syscall(SYS_sendto, fd, buffer, size, flags, NULL, 0);
}

static inline ssize_t call_sendmsg(int fd, const struct msghdr *message, int flags)
{
    return syscall(SYS_sendmsg, fd, message, flags);
}

#endif
