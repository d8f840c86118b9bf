/* Owns the two arrays of a map: dense items in the order of insertion, and slots that point into them.
 * Linear probing; slots are at least twice the items, so a free one ends every probe soon. A removed item
 * keeps its place (and its slot a mark) until the next time that the map is laid out anew. */
#include "base/map.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

#define CAPACITY_FIRST 8
#define CAPACITY_MAX (UINT32_C(1) << 30)
#define SLOT_FREE 0
#define SLOT_REMOVED UINT32_MAX

void map_init(struct map *map, bool ignore_case)
{
    *map = (struct map){.ignore_case = ignore_case};
}

void map_release(struct map *map)
{
    free(map->items);
    free(map->slots);
    map_init(map, map->ignore_case);
}

static uint64_t hash_of(const struct map *map, struct str key)
{
    return map->ignore_case ? str_hash_nocase(key) : str_hash(key);
}

static bool is_key(const struct map *map, const struct map_item *item, struct str key,
                   uint64_t hash)
{
    return item->hash == hash &&
           (map->ignore_case ? str_equal_nocase(item->key, key) : str_equal(item->key, key));
}

/* The slot of a key, or NULL. */
static uint32_t *find(const struct map *map, struct str key, uint64_t hash)
{
    if (map->live == 0)
        return NULL;
    for (uint32_t at = (uint32_t)hash & map->slot_mask;; at = (at + 1) & map->slot_mask) {
        uint32_t slot = map->slots[at];
        if (slot == SLOT_FREE)
            return NULL;
        if (slot != SLOT_REMOVED && is_key(map, &map->items[slot - 1], key, hash))
            return &map->slots[at];
    }
}

static void fill_slot(struct map *map, uint64_t hash, uint32_t index)
{
    uint32_t at = (uint32_t)hash & map->slot_mask;
    while (map->slots[at] != SLOT_FREE)
        at = (at + 1) & map->slot_mask;
    map->slots[at] = index + 1;
}

/* Closes the gaps of removed items and makes room for one more; grows only when most items are live. */
static void lay_out(struct map *map)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < map->count; i++) {
        if (map->items[i].key.data != NULL)
            map->items[kept++] = map->items[i];
    }
    map->count = kept;
    if (map->capacity == 0 || kept > map->capacity / 2) {
        assert(map->capacity < CAPACITY_MAX);
        map->capacity = map->capacity != 0 ? map->capacity * 2 : CAPACITY_FIRST;
        map->items = memory_resize(map->items, map->capacity * sizeof(*map->items));
        free(map->slots);
        map->slots = memory_alloc(2 * (size_t)map->capacity * sizeof(*map->slots));
        map->slot_mask = 2 * map->capacity - 1;
    }
    memset(map->slots, 0, ((size_t)map->slot_mask + 1) * sizeof(*map->slots));
    for (uint32_t i = 0; i < map->count; i++)
        fill_slot(map, map->items[i].hash, i);
}

void *map_get(const struct map *map, struct str key)
{
    const uint32_t *slot = find(map, key, hash_of(map, key));
    return slot != NULL ? map->items[*slot - 1].value : NULL;
}

bool map_has(const struct map *map, struct str key)
{
    return find(map, key, hash_of(map, key)) != NULL;
}

void *map_put(struct map *map, struct str key, void *value)
{
    uint64_t hash = hash_of(map, key);
    const uint32_t *slot = find(map, key, hash);
    if (slot != NULL) {
        struct map_item *item = &map->items[*slot - 1];
        void *former = item->value;
        item->value = value;
        return former;
    }
    if (map->count == map->capacity)
        lay_out(map);
    if (key.data == NULL)
        key.data = ""; /* NULL marks a removed item */
    map->items[map->count] = (struct map_item){.key = key, .value = value, .hash = hash};
    fill_slot(map, hash, map->count++);
    map->live++;
    return NULL;
}

void *map_remove(struct map *map, struct str key)
{
    uint32_t *slot = find(map, key, hash_of(map, key));
    if (slot == NULL)
        return NULL;
    struct map_item *item = &map->items[*slot - 1];
    void *former = item->value;
    *item = (struct map_item){.key = STR_NONE};
    *slot = SLOT_REMOVED;
    map->live--;
    return former;
}
