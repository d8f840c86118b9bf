#include "files/links.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#define READ_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define LOOK_FLAGS (O_PATH | O_CLOEXEC)

enum status links_status(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return STATUS_FILE_NOT_FOUND;
    case EACCES:
    case EPERM:
    case ELOOP:       /* a link where none may be */
    case EXDEV:       /* it leads out */
    case ENXIO:       /* a socket, or a device without a driver */
    case ENODEV:
        return STATUS_FILE_FORBIDDEN;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return STATUS_OVERLOADED;
    default:
        return STATUS_FILE_ERROR;
    }
}

static void close_quietly(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
}

/* A descriptor of the folder that the path begins with, and where the rest stands. */
static int open_base(struct str path, size_t base, size_t *ret_rest)
{
    char folder[PATH_MAX];
    if (base >= sizeof(folder)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(folder, path.data, base);
    folder[base] = '\0';
    while (base < path.len && path.data[base] == '/')
        base++;
    *ret_rest = base;
    return open(folder[0] != '\0' ? folder : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int open_inside(struct str path, size_t base, int flags)
{
    size_t rest;
    int folder = open_base(path, base, &rest);
    if (folder < 0)
        return -1;
    int fd = tree_open_beneath(folder, rest < path.len ? path.data + rest : ".", flags);
    close_quietly(folder);
    return fd;
}

/* Opens one step; a link is followed only where it belongs to whom its target belongs to. */
static int open_step(int folder, const char *name, int flags, bool owned)
{
    int fd = openat(folder, name, flags | O_NOFOLLOW);
    struct stat link, target;
    if (!owned || (fd < 0 && errno != ELOOP && errno != ENOTDIR))
        return fd;
    if (fd >= 0 && (fstat(fd, &link) != 0 || !S_ISLNK(link.st_mode)))
        return fd;
    if (fd >= 0)
        close(fd);
    if (fstatat(folder, name, &link, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    fd = openat(folder, name, flags);
    if (fd < 0 || (fstat(fd, &target) == 0 && target.st_uid == link.st_uid))
        return fd;
    close(fd);
    errno = ELOOP;
    return -1;
}

/* With O_PATH alone a link itself would be opened. */
static bool is_link(int fd)
{
    struct stat stat;
    return fstat(fd, &stat) == 0 && S_ISLNK(stat.st_mode);
}

/* Takes the next part of the path, without its slashes; the last one keeps none. */
static bool next_part(struct str *rest, char *out)
{
    size_t begin = 0, end;
    while (begin < rest->len && rest->data[begin] == '/')
        begin++;
    for (end = begin; end < rest->len && rest->data[end] != '/';)
        end++;
    size_t len = end - begin;
    if (len == 0 || len > NAME_MAX)
        return false;
    memcpy(out, rest->data + begin, len);
    out[len] = '\0';
    *rest = str_from_index(*rest, end);
    return true;
}

/* One part of the path after the other, each looked at before it is followed. */
static int open_guarded(struct str path, size_t base, int flags, bool owned)
{
    size_t at;
    char name[NAME_MAX + 1];
    int fd = open_base(path, base, &at);
    struct str rest = str_from_index(path, at);
    while (fd >= 0 && next_part(&rest, name)) {
        bool last = rest.len == 0 || str_equal(rest, S("/"));
        int folder = fd;
        fd = open_step(folder, name, last ? flags | (rest.len != 0 ? O_DIRECTORY : 0) : LOOK_FLAGS, owned);
        close_quietly(folder);
        if (fd >= 0 && is_link(fd)) {
            close(fd);
            errno = last ? ELOOP : ENOTDIR;      /* as to nginx, a link in the middle is no folder */
            return -1;
        }
        if (last)
            return fd;
    }
    return fd;
}

static int open_path(struct str path, const struct links_rule *rule, int flags)
{
    switch (rule->links) {
    case LINKS_INSIDE:
        return open_inside(path, rule->base, flags);
    case LINKS_ANYWHERE:
        return open(path.data, flags);
    case LINKS_OWNED:
    case LINKS_NONE:
        break;
    }
    return open_guarded(path, rule->base, flags, rule->links == LINKS_OWNED);
}

static enum status look_at(struct str path, struct tree_file *ret_file)
{
    ret_file->fd = -1;
    return stat(path.data, &ret_file->stat) == 0 ? STATUS_OK : links_status(errno);
}

enum status links_open(struct str path, const struct links_rule *rule, bool look, struct tree_file *ret_file)
{
    if (path.data == NULL)
        return STATUS_OUT_OF_MEMORY;
    if (look && rule->links == LINKS_ANYWHERE)
        return look_at(path, ret_file);
    ret_file->fd = open_path(path, rule, look ? LOOK_FLAGS : READ_FLAGS);
    if (ret_file->fd < 0)
        return links_status(errno);
    enum status status = fstat(ret_file->fd, &ret_file->stat) != 0 ? STATUS_FILE_ERROR : STATUS_OK;
    if (status == STATUS_OK && !look && !S_ISREG(ret_file->stat.st_mode) && !S_ISDIR(ret_file->stat.st_mode))
        status = STATUS_FILE_NOT_FOUND;
    if (status != STATUS_OK || look) {
        close(ret_file->fd);
        ret_file->fd = -1;
    }
    return status;
}
