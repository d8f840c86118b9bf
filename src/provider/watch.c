#include "provider/watch.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTLE_TIME (50 * TIME_MS)
#define EVENTS (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)

/* Which of the directory's files it was does not matter: whoever is told compares contents. What the kernel says of a watch
 * that we removed ourselves is no change. */
static void on_ready(struct watch *watch, unsigned events)
{
    struct file_watch *self = container_of(watch, struct file_watch, watch);
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool changed = false;
    for (ssize_t got; (got = read(self->fd, buffer, sizeof(buffer))) > 0;) {
        for (const char *at = buffer; at < buffer + got;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)at;
            changed = changed || (event->mask & (EVENTS | IN_Q_OVERFLOW)) != 0;
            at += sizeof(*event) + event->len;
        }
    }
    if (changed)
        timer_after(self->loop, &self->settle, SETTLE_TIME);
}

static void on_settled(struct timer *timer)
{
    struct file_watch *self = container_of(timer, struct file_watch, settle);
    self->on_change(self);
}

bool file_watch_start(struct file_watch *watch, struct loop *loop, void (*on_change)(struct file_watch *watch), void *owner)
{
    *watch = (struct file_watch){.watch = {.on_ready = on_ready, .fd = -1}, .loop = loop, .on_change = on_change, .owner = owner};
    timer_init(&watch->settle, on_settled);
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    return watch->fd >= 0 && loop_watch_level(loop, &watch->watch, watch->fd);
}

static void add_directory(struct file_watch *watch, const char *directory)
{
    int descriptor = inotify_add_watch(watch->fd, directory, EVENTS);
    for (size_t i = 0; i < watch->watched.count && descriptor >= 0; i++)
        if (watch->watched.items[i] == descriptor)
            return;
    if (descriptor >= 0)
        VEC_PUSH(&watch->watched, descriptor);
}

static void add_parent(struct file_watch *watch, const char *path)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash != NULL ? (size_t)(slash - path) : 0;
    if (len >= sizeof(directory))
        return;
    memcpy(directory, path, len);
    directory[len] = '\0';
    add_directory(watch, slash == NULL ? "." : len == 0 ? "/" : directory);
}

static void forget(struct file_watch *watch, const int *former, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool still = false;
        for (size_t j = 0; j < watch->watched.count && !still; j++)
            still = watch->watched.items[j] == former[i];
        if (!still)
            inotify_rm_watch(watch->fd, former[i]);
    }
}

/* What is watched already stays so without a gap: a change in one would be lost. */
void file_watch_set(struct file_watch *watch, const struct settings_files *files)
{
    if (watch->fd < 0)
        return;
    int *former = watch->watched.items;
    size_t former_count = watch->watched.count;
    memset(&watch->watched, 0, sizeof(watch->watched));
    for (size_t i = 0; i < files->paths.count; i++) {
        const char *path = files->paths.items[i];
        struct stat about;
        if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
            add_directory(watch, path);
        add_parent(watch, path);
        char real[PATH_MAX];
        if (realpath(path, real) != NULL)
            add_parent(watch, real);
    }
    forget(watch, former, former_count);
    free(former);
    /* What changed before it was watched gives no event. */
    if (!settings_files_unchanged(files))
        timer_after(watch->loop, &watch->settle, SETTLE_TIME);
}

void file_watch_stop(struct file_watch *watch)
{
    if (watch->fd < 0)
        return;
    timer_cancel(&watch->settle);
    loop_unwatch(watch->loop, &watch->watch);
    close(watch->fd);
    watch->fd = -1;
    VEC_RELEASE(&watch->watched);
}
