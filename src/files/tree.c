/* Owns the descriptors of the root. Everything that opens a path under it is here. */
#include "files/tree.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "files/links.h"
#include "http/uri.h"

#define ROOT_LASTS TIME_S
#define RACES_MAX 8      /* times that a rename may come between before it is taken for an attack */

static long open_beneath(int root, const char *name, uint64_t flags, uint64_t resolve)
{
    struct open_how how = {.flags = flags, .resolve = resolve};
    return syscall(SYS_openat2, root, name, &how, sizeof(how));
}

static bool kernel_has_openat2(void)
{
    long fd = open_beneath(AT_FDCWD, ".", O_PATH | O_CLOEXEC, RESOLVE_BENEATH);
    if (fd >= 0)
        close((int)fd);
    return fd >= 0 || (errno != ENOSYS && errno != EPERM);
}

void tree_init(struct tree *tree, struct arena *arena, struct str path, unsigned workers)
{
    *tree = (struct tree){.path = arena_str(arena, path).data, .workers = workers, .follow = true};
    tree->openat2 = kernel_has_openat2();
    tree->roots = arena_array(arena, struct tree_root, workers);
    for (unsigned i = 0; i < workers; i++)
        tree->roots[i].fd = -1;
}

void tree_release(struct tree *tree)
{
    for (unsigned i = 0; i < tree->workers; i++)
        if (tree->roots[i].fd >= 0)
            close(tree->roots[i].fd);
    tree->workers = 0;
}

/* ---- names ---- */

bool tree_shows(const struct tree *tree, struct str part)
{
    if (str_find_char(part, '\\', 0) >= 0)
        return false;
    return part.len != 0 && (part.data[0] != '.' || (tree->hidden && !str_equal(part, S(".")) && !str_equal(part, S(".."))));
}

/* Joins the parts that the raw path has between its slashes; an encoded slash would be one more than it has. */
static bool add_part(const struct tree *tree, struct arena *arena, struct str raw, char **end, const char *begin)
{
    struct str part;
    if (!uri_decode(arena, raw, &part) || str_find_char(part, '/', 0) >= 0 || str_find_char(part, '\0', 0) >= 0)
        return false;
    if (!tree_shows(tree, part) && !(*end == begin && str_equal(part, S(".well-known"))))
        return false;
    if (*end != begin)
        *(*end)++ = '/';
    memcpy(*end, part.data, part.len);
    *end += part.len;
    return true;
}

enum status tree_name(const struct tree *tree, struct arena *arena, struct str path, struct str *ret_name)
{
    char *begin = arena_alloc(arena, path.len + 2), *end = begin;
    struct str part, rest = path;
    if (begin == NULL)
        return STATUS_OUT_OF_MEMORY;
    if (!str_starts(path, S("/")))
        return STATUS_FILE_NOT_FOUND;
    while (str_split(&rest, '/', &part))
        if (part.len != 0 && !add_part(tree, arena, part, &end, begin))
            return STATUS_FILE_NOT_FOUND;
    if (end == begin)
        *end++ = '.';
    else if (str_ends(path, S("/")))
        *end++ = '/';
    *end = '\0';
    *ret_name = str_of(begin, (size_t)(end - begin));
    return STATUS_OK;
}

/* ---- opening ---- */

static int root_of(struct tree *tree, struct worker *worker)
{
    struct tree_root *root = &tree->roots[worker->index];
    if (root->fd >= 0 && worker->loop.now - root->checked_at < ROOT_LASTS)
        return root->fd;
    if (root->fd >= 0)
        close(root->fd);
    root->fd = open(tree->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    root->checked_at = worker->loop.now;
    return root->fd;
}

static int open_at_once(const struct tree *tree, int root, const char *name, int flags)
{
    uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (tree->follow ? 0 : RESOLVE_NO_SYMLINKS);
    long fd = -1;
    for (unsigned i = 0; i < RACES_MAX; i++) {
        fd = open_beneath(root, name, (uint64_t)flags, resolve);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return (int)fd;
}

static int open_part(int folder, struct str part, int flags)
{
    char name[NAME_MAX + 1];
    if (part.len > NAME_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(name, part.data, part.len);
    name[part.len] = '\0';
    return openat(folder, name, flags | O_NOFOLLOW);
}

static void close_quietly(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
}

/* One component at a time; tree_name has seen to it that none is "..". */
static int open_stepwise(int root, const char *name, int flags)
{
    struct str rest = str_from(name), part;
    int fd = root;
    while (fd >= 0 && str_split(&rest, '/', &part) && part.len != 0) {
        int folder = fd;
        bool last = rest.len == 0;
        fd = open_part(folder, part, (last ? flags : O_PATH | O_CLOEXEC) | (rest.data != NULL ? O_DIRECTORY : 0));
        if (folder != root)
            close_quietly(folder);
    }
    return fd;
}

int tree_open_beneath(int folder, const char *name, int flags)
{
    struct tree tree = {.follow = true};
    static _Atomic int has_openat2 = -1;
    if (has_openat2 < 0)
        has_openat2 = kernel_has_openat2();
    return has_openat2 ? open_at_once(&tree, folder, name, flags) : open_stepwise(folder, name, flags);
}

static enum status open_checked(struct tree *tree, struct worker *worker, const char *name, int flags,
                                struct tree_file *ret_file)
{
    if (name == NULL)
        return STATUS_OUT_OF_MEMORY;
    assert(name[0] != '\0' && name[0] != '/');
    int root = root_of(tree, worker);
    if (root < 0)
        return errno == EMFILE || errno == ENFILE ? STATUS_OVERLOADED : STATUS_FILE_ERROR;
    int fd = tree->openat2 ? open_at_once(tree, root, name, flags) : open_stepwise(root, name, flags);
    if (fd < 0)
        return links_status(errno);
    enum status status = fstat(fd, &ret_file->stat) != 0 ? STATUS_FILE_ERROR : STATUS_OK;
    if (status == STATUS_OK && !S_ISREG(ret_file->stat.st_mode) && !S_ISDIR(ret_file->stat.st_mode))
        status = STATUS_FILE_FORBIDDEN;
    if (status != STATUS_OK)
        close(fd);
    ret_file->fd = status == STATUS_OK ? fd : -1;
    return status;
}

enum status tree_open(struct tree *tree, struct worker *worker, const char *name, struct tree_file *ret_file)
{
    return open_checked(tree, worker, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, ret_file);
}

enum status tree_look(struct tree *tree, struct worker *worker, const char *name, struct stat *ret_stat)
{
    struct tree_file file;
    enum status status = open_checked(tree, worker, name, O_PATH | O_CLOEXEC, &file);
    if (status != STATUS_OK)
        return status;
    close(file.fd);
    *ret_stat = file.stat;
    return STATUS_OK;
}
