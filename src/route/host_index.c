#include "route/host_index.h"

void host_index_freeze(struct host_index *index, const struct map *map, struct arena *arena)
{
    uint32_t size = 4;
    while (size < map->count * 2)
        size *= 2;
    struct host_slot *slots = arena_array(arena, struct host_slot, size);
    struct host_item *items = arena_array(arena, struct host_item, map->count);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct map_item *from = &map->items[i];
        uint64_t hash = str_hash(from->key);
        uint32_t at = (uint32_t)hash & (size - 1);
        while (slots[at].item != 0)
            at = (at + 1) & (size - 1);
        slots[at] = (struct host_slot){.tag = (uint32_t)(hash >> 32), .item = i + 1};
        items[i] = (struct host_item){.host = from->key, .value = from->value};
    }
    *index =
        (struct host_index){.slots = slots, .items = items, .mask = size - 1, .count = map->count};
}
