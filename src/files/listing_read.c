/* Reads a folder. What a request for the entry would not be given is not shown. */
#include "files/listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* A link is what it leads to, if that may be served. */
static bool follow_link(struct finder *finder, struct exchange *x, const struct spot *spot, struct str folder, struct str name,
                        struct stat *ret_stat)
{
    struct arena_mark mark = arena_mark(&x->arena);
    struct str path = arena_concat(&x->arena, folder, name);
    bool found = path.data != NULL && finder_look(finder, x, spot, path, ret_stat) == STATUS_OK;
    arena_rewind(&x->arena, mark);
    return found;
}

static bool look_at(struct finder *finder, struct exchange *x, const struct spot *spot, struct str folder, int fd,
                    const struct dirent *item, bool all, struct stat *ret_stat)
{
    if (all)
        return fstatat(fd, item->d_name, ret_stat, 0) == 0 || fstatat(fd, item->d_name, ret_stat, AT_SYMLINK_NOFOLLOW) == 0;
    if (fstatat(fd, item->d_name, ret_stat, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    if (S_ISLNK(ret_stat->st_mode) && !follow_link(finder, x, spot, folder, str_from(item->d_name), ret_stat))
        return false;
    return S_ISREG(ret_stat->st_mode) || S_ISDIR(ret_stat->st_mode);
}

static int compare(const void *a, const void *b)
{
    const struct listing_entry *first = a, *second = b;
    if (first->folder != second->folder)
        return first->folder ? -1 : 1;
    return str_compare(first->name, second->name);
}

static bool grow(struct listing *listing, size_t *capacity, struct arena *arena)
{
    if (listing->count < *capacity)
        return true;
    size_t wanted = *capacity != 0 ? *capacity * 2 : 64;
    struct listing_entry *entries = arena_array(arena, struct listing_entry, wanted);
    if (entries == NULL)
        return false;
    if (listing->count != 0)
        memcpy(entries, listing->entries, listing->count * sizeof(*entries));
    listing->entries = entries;
    *capacity = wanted;
    return true;
}

/* False without memory. */
static bool add(struct listing *listing, size_t *capacity, struct arena *arena, const char *name, const struct stat *stat)
{
    if (!grow(listing, capacity, arena))
        return false;
    struct listing_entry *entry = &listing->entries[listing->count++];
    *entry = (struct listing_entry){.name = arena_str(arena, str_from(name)),
                                    .folder = S_ISDIR(stat->st_mode),
                                    .file = S_ISREG(stat->st_mode),
                                    .size = stat->st_size,
                                    .modified = stat->st_mtim.tv_sec};
    return entry->name.data != NULL;
}

bool listing_read(struct finder *finder, struct exchange *x, const struct spot *spot, struct str name, int folder, bool all,
                  struct listing *ret_listing)
{
    DIR *stream = fdopendir(folder);
    if (stream == NULL) {
        close(folder);
        return false;
    }
    const struct dirent *item;
    size_t capacity = 0;
    bool good = true;
    *ret_listing = (struct listing){.count = 0};
    while (good && (item = readdir(stream)) != NULL) {
        struct stat stat;
        bool shown = all ? item->d_name[0] != '.' : finder_shows(finder, str_from(item->d_name));
        if (!shown || !look_at(finder, x, spot, name, dirfd(stream), item, all, &stat))
            continue;
        ret_listing->cut = ret_listing->count == LISTING_ENTRIES_MAX;
        if (ret_listing->cut)
            break;
        good = add(ret_listing, &capacity, &x->arena, item->d_name, &stat);
    }
    closedir(stream);
    if (ret_listing->count != 0)
        qsort(ret_listing->entries, ret_listing->count, sizeof(ret_listing->entries[0]), compare);
    return good;
}
