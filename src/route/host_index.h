/* Hosts and what belongs to each: a hash table that is built once and then only read.
 *
 * Smaller and faster to search than struct map, which it is frozen from. Ownership: the slots live
 * in an arena; keys and values are borrowed. Threading: const once frozen. */
#ifndef ROUTE_HOST_INDEX_H
#define ROUTE_HOST_INDEX_H

#include "base/arena.h"
#include "base/map.h"

struct host_slot {
    uint32_t tag;  /* the hash's upper half */
    uint32_t item; /* + 1; 0: free */
};

/* Within a cache line: among ten thousand hosts each line that a request touches is one that the memory is waited for. */
#define HOST_ITEM_SIZE 32
#define HOST_ITEM_NEAR (HOST_ITEM_SIZE - sizeof(void *) - sizeof(uint32_t))
struct host_item {
    const void *value;
    uint32_t len;
    char near[HOST_ITEM_NEAR]; /* the host where it fits, else a pointer to it */
};
_Static_assert(sizeof(struct host_item) == HOST_ITEM_SIZE, "half a line");

static inline struct str host_item_host(const struct host_item *item)
{
    const char *far = item->near;
    if (item->len > HOST_ITEM_NEAR)
        memcpy(&far, item->near, sizeof(far));
    return str_of(far, item->len);
}

struct host_index {
    const struct host_slot *slots;
    const struct host_item *items;
    uint32_t mask;  /* slots - 1 */
    uint32_t count; /* items */
};

/* Takes over what the map holds; nothing may have been removed from it. */
void host_index_freeze(struct host_index *index, const struct map *map, struct arena *arena);

/* NULL when absent. */
static inline const void *host_index_find(const struct host_index *index, struct str host)
{
    if (index->count == 0)
        return NULL;
    uint64_t hash = str_hash(host);
    for (uint32_t at = (uint32_t)hash & index->mask;; at = (at + 1) & index->mask) {
        struct host_slot slot = index->slots[at];
        if (slot.item == 0)
            return NULL;
        if (slot.tag == (uint32_t)(hash >> 32) && str_equal(host_item_host(&index->items[slot.item - 1]), host))
            return index->items[slot.item - 1].value;
    }
}

#endif
