#include "cli/supervisor.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "base/time.h"

#define MESSAGE_MAX 1024

static struct {
    int fd;                       /* connected; -1: there is no manager */
    int64_t patience;             /* ns; 0: no pings are wanted */
} supervisor = {.fd = -1};

/* ---- the socket ---- */

static bool address_of(const char *name, struct sockaddr_un *ret_address, socklen_t *ret_length)
{
    size_t length = strlen(name);
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((name[0] != '/' && name[0] != '@') || length < 2 || length >= sizeof(ret_address->sun_path))
        return false;
    memcpy(ret_address->sun_path, name, length);
    if (name[0] == '@')
        ret_address->sun_path[0] = '\0';
    /* An abstract name has no end but its length. */
    *ret_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (name[0] == '/' ? 1 : 0));
    return true;
}

static int connect_to(const char *name)
{
    struct sockaddr_un address;
    socklen_t length;
    if (!address_of(name, &address, &length))
        return -1;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, length) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The time in which the manager wants to hear from this process; ns, 0: it does not. */
static int64_t watchdog_time(void)
{
    const char *time = getenv("WATCHDOG_USEC"), *process = getenv("WATCHDOG_PID");
    int64_t microseconds, number;
    if (time == NULL || !str_to_i64(str_from(time), &microseconds) || microseconds <= 0 || microseconds > INT64_MAX / TIME_US)
        return 0;
    if (process != NULL && (!str_to_i64(str_from(process), &number) || number != getpid()))
        return 0;
    return microseconds * TIME_US;
}

void supervisor_open(void)
{
    const char *name = getenv("NOTIFY_SOCKET");
    if (name == NULL)
        return;
    supervisor.fd = connect_to(name);
    supervisor.patience = supervisor.fd >= 0 ? watchdog_time() : 0;
    if (supervisor.fd < 0)
        log_warn("the service manager cannot be told anything: NOTIFY_SOCKET %s: %m", name);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

/* A manager that does not read must not stop us: what does not fit into its queue is lost. */
static void tell(const char *message)
{
    if (supervisor.fd >= 0 && send(supervisor.fd, message, strlen(message), MSG_NOSIGNAL) < 0)
        log_debug("the service manager was not told: %m");
}

/* ---- how we are ---- */

void supervisor_ready(const char *status)
{
    char message[MESSAGE_MAX];
    snprintf(message, sizeof(message), "READY=1\nSTATUS=%s", status);
    tell(message);
}

void supervisor_reloading(void)
{
    char message[MESSAGE_MAX];
    snprintf(message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reading the configuration",
             (long long)(time_monotonic() / TIME_US));
    tell(message);
}

void supervisor_stopping(void)
{
    tell("STOPPING=1\nSTATUS=stopping: what runs may end");
}

int64_t supervisor_patience(void)
{
    return supervisor.patience;
}

void supervisor_ping(void)
{
    tell("WATCHDOG=1");
}

void supervisor_close(void)
{
    if (supervisor.fd >= 0)
        close(supervisor.fd);
    supervisor.fd = -1;
    supervisor.patience = 0;
}
