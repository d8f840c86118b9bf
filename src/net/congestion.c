/* Owns which congestion control a socket gets. Knows of pacing by name, as the kernel tells no more. */
#include "net/congestion.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <unistd.h>

static bool choose(int fd, const char *name)
{
    return setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) == 0;
}

static bool paces(int fd)
{
    char name[CONGESTION_NAME_SIZE] = "";
    socklen_t size = sizeof(name);
    return getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) == 0 && strncmp(name, "bbr", 3) == 0;
}

/* Asked once: a new socket has what the system is set to. */
static bool system_paces(int fd)
{
    enum { UNKNOWN, NO, YES };
    static _Atomic int known = UNKNOWN;
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == UNKNOWN) {
        answer = paces(fd) ? YES : NO;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer == YES;
}

static bool stays_here(const struct addr *address)
{
    struct ip ip = addr_ip(address);
    return ip_is_loopback(&ip);
}

void congestion_set(int fd, const struct addr *address, const char *name)
{
    if (name[0] != '\0')
        choose(fd, name);
    else if (stays_here(address) && system_paces(fd) && !choose(fd, "cubic"))
        choose(fd, "reno");      /* which every process may have */
}

void congestion_name(struct str name, char out[CONGESTION_NAME_SIZE])
{
    size_t len = name.len < CONGESTION_NAME_SIZE ? name.len : CONGESTION_NAME_SIZE - 1;
    if (len != 0)
        memcpy(out, name.data, len);
    out[len] = '\0';
}

const char *congestion_check(struct str name, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    char text[CONGESTION_NAME_SIZE];
    if (name.len == 0)
        return NULL;
    if (name.len >= CONGESTION_NAME_SIZE || memchr(name.data, '\0', name.len) != NULL)
        return "is not the name of a congestion control";
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return NULL;      /* no way to tell */
    congestion_name(name, text);
    bool granted = choose(fd, text);
    int error = errno;
    close(fd);
    if (granted)
        return NULL;
    return error == EPERM ? "is a congestion control that this process may not choose (sysctl net.ipv4.tcp_allowed_congestion_control)"
                          : "is no congestion control of this system (sysctl net.ipv4.tcp_available_congestion_control)";
}
