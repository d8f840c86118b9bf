#include "acme/storage.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "acme/storage_lock.h"
#include "acme/storage_place.h"
#include "base/memory.h"

struct storage {
    char *path;                 /* without a trailing slash */
    char *resolver;
    bool directory;
    struct state state;
    struct storage_lock *lock;
    uint64_t turn;              /* the lock's when the state was read; 0: before */
};

struct storage *storage_new(struct str path, struct str resolver)
{
    struct storage *storage = memory_zalloc(sizeof(*storage));
    struct stat stat_;
    storage->directory = str_ends(path, S("/"));
    while (path.len > 1 && str_ends(path, S("/")))
        path.len--;
    storage->path = memory_copy_text(path.data, path.len);
    storage->directory = storage->directory || (stat(storage->path, &stat_) == 0 && S_ISDIR(stat_.st_mode));
    storage->resolver = memory_copy_text(resolver.data, resolver.len);
    state_init(&storage->state);
    struct text lock;
    text_init(&lock, SIZE_MAX / 2);
    text_addf(&lock, "%s%s", storage->path, storage->directory ? "/.lock" : ".lock");
    storage->lock = storage_lock_ref(text_c(&lock));
    text_release(&lock);
    return storage;
}

void storage_free(struct storage *storage)
{
    if (storage == NULL)
        return;
    storage_lock_unref(storage->lock);
    state_release(&storage->state);
    free(storage->path);
    free(storage->resolver);
    free(storage);
}

struct state *storage_state(struct storage *storage)
{
    return &storage->state;
}

bool storage_is_directory(const struct storage *storage)
{
    return storage->directory;
}

bool storage_read(struct storage *storage, struct text *why)
{
    struct state fresh;
    state_init(&fresh);
    bool good = storage->directory ? storage_directory_read(storage->path, &fresh, why)
                                   : storage_file_read(storage->path, str_from(storage->resolver), &fresh, why);
    if (!good) {
        state_release(&fresh);
        return false;
    }
    state_merge(&fresh, &storage->state);
    storage->state = fresh;
    if (storage_lock_is_held(storage->lock))
        storage->turn = storage_lock_turn(storage->lock);
    return true;
}

bool storage_is_unsaved(const struct storage *storage)
{
    const struct state *state = &storage->state;
    bool unsaved = state->unsaved;
    for (int rank = 0; rank < ACCOUNT_RANKS; rank++)
        unsaved |= state->accounts[rank] != NULL && state->accounts[rank]->unsaved;
    for (size_t i = 0; i < state->certificates.count; i++)
        unsaved |= state->certificates.items[i]->unsaved;
    for (size_t i = 0; i < state->orders.count; i++)
        unsaved |= state->orders.items[i]->unsaved;
    for (size_t i = 0; i < state->problems.count; i++)
        unsaved |= state->problems.items[i]->unsaved;
    return unsaved;
}

static void mark_saved(struct state *state)
{
    state->unsaved = false;
    for (int rank = 0; rank < ACCOUNT_RANKS; rank++)
        if (state->accounts[rank] != NULL)
            state->accounts[rank]->unsaved = false;
    for (size_t i = 0; i < state->certificates.count; i++)
        state->certificates.items[i]->unsaved = false;
    for (size_t i = 0; i < state->orders.count; i++)
        state->orders.items[i]->unsaved = false;
    for (size_t i = 0; i < state->problems.count; i++)
        state->problems.items[i]->unsaved = false;
}

static bool save_locked(struct storage *storage, struct text *why)
{
    if (!storage_is_current(storage) && !storage_read(storage, why))
        return false;
    bool good = storage->directory ? storage_directory_write(storage->path, &storage->state, why)
                                   : storage_file_write(storage->path, str_from(storage->resolver), &storage->state, why);
    if (good)
        mark_saved(&storage->state);
    return good;
}

bool storage_save(struct storage *storage, struct text *why)
{
    if (!storage_is_unsaved(storage))
        return true;
    if (!storage_lock(storage)) {
        text_addf(why, "%s: another process is writing it", storage->path);
        return false;
    }
    bool good = save_locked(storage, why);
    storage_unlock(storage);
    return good;
}

void storage_drop(struct storage *storage, struct state_certificate *certificate)
{
    if (storage->directory && !str_empty(certificate->folder))
        storage_directory_drop(storage->path, certificate->folder);
    state_certificate_drop(&storage->state, certificate);
}

bool storage_lock(struct storage *storage)
{
    /* The lock file lies in the directory. */
    if (storage->directory)
        storage_make_folder(storage->path);
    return storage_lock_take(storage->lock);
}

void storage_unlock(struct storage *storage)
{
    storage_lock_give(storage->lock);
}

bool storage_is_current(const struct storage *storage)
{
    return storage_lock_is_held(storage->lock) && storage->turn == storage_lock_turn(storage->lock);
}
