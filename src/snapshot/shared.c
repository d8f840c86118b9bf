#include "snapshot/shared.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"

struct shared {
    struct str key;
    size_t size;
    unsigned refs;
    bool listed;                /* the map's entry for the key is this one */
    void (*destroy)(void *memory);
    void *memory;
};

/* Graphs are let go of by whichever worker used them last, so the map has a lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct map by_key;

static struct shared *make(struct str key, size_t size, void (*init)(void *memory), void (*destroy)(void *memory))
{
    struct shared *shared = memory_zalloc(sizeof(*shared));
    shared->key = str_of(memory_copy_text(key.data, key.len), key.len);
    shared->size = size;
    shared->destroy = destroy;
    shared->memory = memory_zalloc(size);
    if (init != NULL)
        init(shared->memory);
    return shared;
}

struct shared *shared_get(struct str key, size_t size, void (*init)(void *memory), void (*destroy)(void *memory))
{
    pthread_mutex_lock(&lock);
    struct shared *shared = map_get(&by_key, key);
    if (shared == NULL || shared->size != size) {
        struct shared *former = shared;
        shared = make(key, size, init, destroy);
        if (former != NULL) {
            map_remove(&by_key, key);
            former->listed = false;
        }
        map_put(&by_key, shared->key, shared);
        shared->listed = true;
    }
    shared->refs++;
    pthread_mutex_unlock(&lock);
    return shared;
}

void *shared_memory(struct shared *shared)
{
    return shared->memory;
}

void shared_unref(struct shared *shared)
{
    pthread_mutex_lock(&lock);
    bool last = --shared->refs == 0;
    if (last && shared->listed)
        map_remove(&by_key, shared->key);
    pthread_mutex_unlock(&lock);
    if (!last)
        return;
    if (shared->destroy != NULL)
        shared->destroy(shared->memory);
    free(shared->memory);
    free((void *)(uintptr_t)shared->key.data);
    free(shared);
}
