/* The four system calls of every request, without what the C library adds around them for thread cancellation (which
 * nobody here uses): some thirty instructions each. Errors as the library's: -1 and errno. */
#ifndef NET_CALL_H
#define NET_CALL_H

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifdef __x86_64__
#include "net/call_x86_64.h"
#else
#define call_kernel syscall
#endif

static inline ssize_t call_recv(int fd, void *buffer, size_t size, int flags)
{
    return call_kernel(SYS_recvfrom, fd, (long)buffer, (long)size, flags, 0, 0);
}

static inline ssize_t call_send(int fd, const void *buffer, size_t size, int flags)
{
    return call_kernel(SYS_sendto, fd, (long)buffer, (long)size, flags, 0, 0);
}

static inline ssize_t call_sendmsg(int fd, const struct msghdr *message, int flags)
{
    return call_kernel(SYS_sendmsg, fd, (long)message, flags, 0, 0, 0);
}

#endif
