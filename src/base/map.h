/* A hash map from strings to pointers: open addressing, seeded hash.
 *
 * Ownership: keys are views that must outlive the map; values are the caller's.
 * Not thread-safe for writing; concurrent reads of a map that nobody writes are fine.
 * Iterate in insertion order over `items[0..count)`; a removed item has key.data == NULL. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/str.h"

struct map_item {
    struct str key;
    void *value;
    uint64_t hash;
};

struct map {
    struct map_item *items;   /* dense, in the order of insertion */
    uint32_t *slots;          /* index + 1 into items, 0 = free, UINT32_MAX = removed */
    uint32_t count;           /* items, removed ones included */
    uint32_t live;            /* items that are there */
    uint32_t slot_mask;       /* slots - 1, slots a power of two; 0 while empty */
    uint32_t capacity;        /* of items */
    bool ignore_case;         /* ASCII */
};

void map_init(struct map *map, bool ignore_case);
void map_release(struct map *map);
/* NULL when absent. */
void *map_get(const struct map *map, struct str key);
bool map_has(const struct map *map, struct str key);
/* Adds or replaces; gives the value that was there before, or NULL. */
void *map_put(struct map *map, struct str key, void *value);
/* Gives the value that was there, or NULL. */
void *map_remove(struct map *map, struct str key);

#endif
