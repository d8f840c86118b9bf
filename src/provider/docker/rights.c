#include "provider/docker/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define NOBODY 65534
#define CAPABILITIES 64

void rights_harden(int keep)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE};
    /* A terminal and a service manager signal the whole group; the helper goes when the front does. */
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        signal(ignored[i], SIG_IGN);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    prctl(PR_SET_NAME, "portico-engine", 0, 0, 0);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    int null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
    }
    close_range(STDERR_FILENO + 1, (unsigned)keep - 1, 0);
    close_range((unsigned)keep + 1, ~0U, 0);
}

static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    for (unsigned long capability = 0; capability < CAPABILITIES; capability++)
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    syscall(SYS_capset, &header, none);
    /* A change of user forgets it. */
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* 0, or errno of connecting. A socket that nobody listens on may be opened all the same: rights are looked at first. */
static int try_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return ENAMETOOLONG;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    int error = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
    close(fd);
    return error == ECONNREFUSED || error == EAGAIN ? 0 : error;
}

/* As whom the socket is opened: for a moment, with the way back open. */
static bool opens_as(const char *path, uid_t user, gid_t group)
{
    bool opens = setgroups(1, &group) == 0 && setresgid((gid_t)-1, group, (gid_t)-1) == 0 &&
                 setresuid((uid_t)-1, user, (uid_t)-1) == 0 && (*path == '\0' || try_socket(path) == 0);
    bool back = setresuid((uid_t)-1, 0, (uid_t)-1) == 0 && setresgid((gid_t)-1, 0, (gid_t)-1) == 0;
    return opens && back;
}

static void become(uid_t user, gid_t group)
{
    for (unsigned long capability = 0; capability < CAPABILITIES; capability++)
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    if (setgroups(1, &group) != 0 || setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0)
        _exit(1);
    drop_capabilities();
}

bool rights_settle(const char *socket_path)
{
    struct stat socket = {.st_gid = NOBODY, .st_uid = NOBODY};
    if (geteuid() != 0) {
        drop_capabilities();
        return true;
    }
    if (*socket_path != '\0' && stat(socket_path, &socket) != 0)
        return false;
    if (opens_as(socket_path, NOBODY, socket.st_gid))
        become(NOBODY, socket.st_gid);
    else if (socket.st_uid != 0 && opens_as(socket_path, socket.st_uid, socket.st_gid))
        become(socket.st_uid, socket.st_gid);
    else
        drop_capabilities();
    return true;
}
