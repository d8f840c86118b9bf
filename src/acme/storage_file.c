/* Private files, and a storage that is one of them. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acme/state_json.h"
#include "acme/storage_place.h"
#include "base/file.h"
#include "base/memory.h"

static bool say(struct text *why, const char *path, const char *what)
{
    text_addf(why, "%s: %s", path, what);
    return false;
}

bool storage_read_private(const char *path, struct arena *arena, struct str *ret_text, struct text *why)
{
    struct stat stat_;
    *ret_text = STR_NONE;
    if (stat(path, &stat_) != 0)
        return errno == ENOENT || say(why, path, strerror(errno));
    if (!S_ISREG(stat_.st_mode))
        return say(why, path, "is not a file");
    if ((stat_.st_mode & 077) != 0) {
        text_addf(why, "%s: others may read it (mode %04o), and it holds private keys: chmod 600 %s", path,
                  stat_.st_mode & 07777U, path);
        return false;
    }
    return file_read(arena, path, STATE_BYTES_MAX, ret_text) || say(why, path, strerror(errno));
}

/* For a mount point, which no rename can replace, and a file of ours in a folder that is not: a full disk is noticed before a byte
 * changes. */
static bool overwrite(const char *path, struct str content)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    int no_room = posix_fallocate(fd, 0, content.len != 0 ? (off_t)content.len : 1);
    bool written = no_room == 0 || no_room == EOPNOTSUPP || no_room == EINVAL;
    if (!written)
        errno = no_room;
    for (size_t at = 0; written && at < content.len;) {
        ssize_t n = pwrite(fd, content.data + at, content.len - at, (off_t)at);
        written = n >= 0 || errno == EINTR;
        at += n > 0 ? (size_t)n : 0;
    }
    written = written && ftruncate(fd, (off_t)content.len) == 0 && fsync(fd) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return written;
}

bool storage_write_private(const char *path, struct str content, struct text *why)
{
    /* A link stays: what it leads to is replaced. */
    char *target = realpath(path, NULL);
    const char *place = target != NULL ? target : path;
    bool written = file_write(place, content, 0600) || ((errno == EBUSY || errno == EACCES) && overwrite(place, content));
    if (!written)
        say(why, path, strerror(errno));
    free(target);
    return written;
}

bool storage_make_folder(const char *path)
{
    char *copy = memory_copy_text(path, strlen(path));
    bool made = true;
    for (char *slash = strchr(copy + 1, '/'); made && slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        made = mkdir(copy, 0700) == 0 || errno == EEXIST;
        *slash = '/';
    }
    made = made && (mkdir(copy, 0700) == 0 || errno == EEXIST);
    free(copy);
    return made;
}

/* Adds the file's name before what the parser says. */
static bool blame(struct text *why, const char *path, struct text *detail)
{
    text_addf(why, "%s: %s", path, text_c(detail));
    text_release(detail);
    return false;
}

bool storage_file_read(const char *path, struct str resolver, struct state *state, struct text *why)
{
    struct arena arena;
    struct text detail;
    struct str content;
    arena_init(&arena, ARENA_UNLIMITED);
    text_init(&detail, 4096);
    bool good = storage_read_private(path, &arena, &content, why);
    if (good && !state_parse(content, resolver, state, &detail))
        good = blame(why, path, &detail);
    text_release(&detail);
    arena_release(&arena);
    return good;
}

static void make_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path)
        return;
    char *folder = memory_copy_text(path, (size_t)(slash - path));
    storage_make_folder(folder);        /* when it fails the write says so */
    free(folder);
}

/* Other resolvers' members are those of this moment: the lock is held. */
bool storage_file_write(const char *path, struct str resolver, const struct state *state, struct text *why)
{
    struct arena arena;
    struct text content, detail;
    struct str former;
    arena_init(&arena, ARENA_UNLIMITED);
    text_init(&content, STATE_BYTES_MAX);
    text_init(&detail, 4096);
    bool good = storage_read_private(path, &arena, &former, why);
    if (good && !state_format(former, resolver, state, &content, &detail))
        good = blame(why, path, &detail);
    if (good) {
        make_parent(path);
        good = storage_write_private(path, text_str(&content), why);
    }
    text_release(&detail);
    text_release(&content);
    arena_release(&arena);
    return good;
}
