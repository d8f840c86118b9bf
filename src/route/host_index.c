#include "route/host_index.h"

static struct host_item *new_items(size_t count, struct arena *arena)
{
    char *memory = arena_alloc(arena, (count + 1) * HOST_ITEM_SIZE);
    return (struct host_item *)(void *)(memory + (-(uintptr_t)memory & (HOST_ITEM_SIZE - 1)));
}

static void set_item(struct host_item *item, const struct map_item *from)
{
    *item = (struct host_item){.value = from->value, .len = (uint32_t)from->key.len};
    if (from->key.len > HOST_ITEM_NEAR)
        memcpy(item->near, &from->key.data, sizeof(from->key.data));
    else if (from->key.len != 0)
        memcpy(item->near, from->key.data, from->key.len);
}

void host_index_freeze(struct host_index *index, const struct map *map, struct arena *arena)
{
    uint32_t size = 4;
    while (size < map->count * 2)
        size *= 2;
    struct host_slot *slots = arena_array(arena, struct host_slot, size);
    struct host_item *items = new_items(map->count, arena);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct map_item *from = &map->items[i];
        uint64_t hash = str_hash(from->key);
        uint32_t at = (uint32_t)hash & (size - 1);
        while (slots[at].item != 0)
            at = (at + 1) & (size - 1);
        slots[at] = (struct host_slot){.tag = (uint32_t)(hash >> 32), .item = i + 1};
        set_item(&items[i], from);
    }
    *index =
        (struct host_index){.slots = slots, .items = items, .mask = size - 1, .count = map->count};
}
