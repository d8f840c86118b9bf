#include "acme/storage_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/list.h"
#include "base/memory.h"

struct storage_lock {
    struct list link;
    char *path;
    unsigned refs, taken;
    int fd;                     /* -1: not held, or the file cannot be made */
    uint64_t turn;
};

static struct list locks = LIST_INIT(locks);

struct storage_lock *storage_lock_ref(const char *path)
{
    LIST_FOREACH(&locks, it) {
        struct storage_lock *lock = container_of(it, struct storage_lock, link);
        if (strcmp(lock->path, path) == 0) {
            lock->refs++;
            return lock;
        }
    }
    struct storage_lock *lock = memory_zalloc(sizeof(*lock));
    lock->path = memory_copy_text(path, strlen(path));
    lock->refs = 1;
    lock->fd = -1;
    list_append(&locks, &lock->link);
    return lock;
}

static void let_go(struct storage_lock *lock)
{
    if (lock->fd >= 0)
        close(lock->fd);
    lock->fd = -1;
}

void storage_lock_unref(struct storage_lock *lock)
{
    if (--lock->refs > 0)
        return;
    let_go(lock);
    list_remove(&lock->link);
    free(lock->path);
    free(lock);
}

bool storage_lock_take(struct storage_lock *lock)
{
    if (lock->taken > 0) {
        lock->taken++;
        return true;
    }
    lock->fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock->fd >= 0 && flock(lock->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        let_go(lock);
        return false;
    }
    lock->taken = 1;
    lock->turn++;
    return true;
}

void storage_lock_give(struct storage_lock *lock)
{
    if (--lock->taken == 0)
        let_go(lock);
}

bool storage_lock_is_held(const struct storage_lock *lock)
{
    return lock->taken > 0;
}

uint64_t storage_lock_turn(const struct storage_lock *lock)
{
    return lock->turn;
}
