#include "observe/log_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/list.h"
#include "base/memory.h"

struct entry {
    struct list link;             /* least recently used first */
    char *path;
    int fd;                       /* -1: it has not been used often enough */
    unsigned uses;
    int64_t used_at, checked_at;
    dev_t device;
    ino_t inode;
};

/* One worker's. */
struct shelf {
    struct list entries;
    unsigned count;
    unsigned generation;
};

struct log_files {
    struct log_files_settings settings;
    _Atomic unsigned generation;  /* counts log_files_reopen */
    unsigned workers;
    struct shelf shelves[];
};

struct log_files *log_files_new(const struct log_files_settings *settings, unsigned workers)
{
    struct log_files *files = memory_zalloc(sizeof(*files) + workers * sizeof(struct shelf));
    files->settings = *settings;
    files->workers = workers;
    for (unsigned i = 0; i < workers; i++)
        list_init(&files->shelves[i].entries);
    return files;
}

static void drop(struct shelf *shelf, struct entry *entry)
{
    list_remove(&entry->link);
    shelf->count--;
    if (entry->fd >= 0)
        close(entry->fd);
    free(entry->path);
    free(entry);
}

static void empty(struct shelf *shelf)
{
    while (!list_empty(&shelf->entries))
        drop(shelf, container_of(shelf->entries.next, struct entry, link));
}

void log_files_free(struct log_files *files)
{
    for (unsigned i = 0; i < files->workers; i++)
        empty(&files->shelves[i]);
    free(files);
}

void log_files_reopen(struct log_files *files)
{
    atomic_fetch_add(&files->generation, 1);
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

static bool write_to(int fd, struct str line)
{
    ssize_t wrote;
    do
        wrote = write(fd, line.data, line.len);
    while (wrote < 0 && errno == EINTR);
    return wrote == (ssize_t)line.len;
}

static struct entry *find(struct shelf *shelf, const char *path)
{
    LIST_FOREACH(&shelf->entries, it) {
        struct entry *entry = container_of(it, struct entry, link);
        if (strcmp(entry->path, path) == 0)
            return entry;
    }
    return NULL;
}

/* Those that were not used for long. */
static void expire(struct log_files *files, struct shelf *shelf, int64_t now)
{
    while (!list_empty(&shelf->entries)) {
        struct entry *oldest = container_of(shelf->entries.next, struct entry, link);
        if (now - oldest->used_at < files->settings.inactive)
            return;
        drop(shelf, oldest);
    }
}

static struct entry *add(struct log_files *files, struct shelf *shelf, const char *path)
{
    if (shelf->count == files->settings.max)
        drop(shelf, container_of(shelf->entries.next, struct entry, link));
    struct entry *entry = memory_zalloc(sizeof(*entry));
    entry->path = memory_copy_text(path, strlen(path));
    entry->fd = -1;
    list_append(&shelf->entries, &entry->link);
    shelf->count++;
    return entry;
}

/* Another file may stand under its name by now, or none. */
static bool is_still_there(struct entry *entry, int64_t now)
{
    struct stat found;
    entry->checked_at = now;
    return stat(entry->path, &found) == 0 && found.st_dev == entry->device && found.st_ino == entry->inode;
}

static struct entry *look_up(struct log_files *files, struct shelf *shelf, const char *path, int64_t now)
{
    unsigned generation = atomic_load(&files->generation);
    if (shelf->generation != generation)
        empty(shelf);
    shelf->generation = generation;
    expire(files, shelf, now);
    struct entry *entry = find(shelf, path);
    if (entry != NULL && entry->fd >= 0 && now - entry->checked_at >= files->settings.valid && !is_still_there(entry, now)) {
        close(entry->fd);
        entry->fd = -1;
    }
    return entry;
}

static void use(struct shelf *shelf, struct entry *entry, int64_t now)
{
    list_remove(&entry->link);
    list_append(&shelf->entries, &entry->link);
    entry->uses++;
    entry->used_at = now;
}

/* A file that was opened for this line: whether it stays so. */
static bool keep(struct log_files *files, struct shelf *shelf, struct entry *entry, const char *path, int fd, int64_t now)
{
    struct stat about;
    if (entry == NULL)
        entry = add(files, shelf, path);
    use(shelf, entry, now);
    if (entry->uses < files->settings.min_uses || fstat(fd, &about) != 0)
        return false;
    entry->fd = fd;
    entry->device = about.st_dev;
    entry->inode = about.st_ino;
    entry->checked_at = now;
    return true;
}

bool log_files_write(struct log_files *files, unsigned worker, const char *path, struct str line, int64_t now)
{
    struct shelf *shelf = &files->shelves[worker];
    bool keeps = files->settings.max != 0;
    struct entry *entry = keeps ? look_up(files, shelf, path, now) : NULL;
    if (entry != NULL && entry->fd >= 0) {
        use(shelf, entry, now);
        return write_to(entry->fd, line);
    }
    int fd = open_file(path);
    if (fd < 0)
        return false;
    bool good = write_to(fd, line);
    int error = errno;
    if (!keeps || !keep(files, shelf, entry, path, fd, now))
        close(fd);
    errno = error;
    return good;
}
