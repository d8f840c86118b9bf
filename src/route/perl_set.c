#include "route/perl_set.h"

#include <stdlib.h>

#include "base/memory.h"

void perl_set_init(struct perl_set *set)
{
    map_init(&set->by_pattern[0], false);
    map_init(&set->by_pattern[1], false);
}

static void release_map(struct map *map)
{
    for (uint32_t i = 0; i < map->count; i++) {
        perl_regex_free(map->items[i].value);
        free((void *)(uintptr_t)map->items[i].key.data);
    }
    map_release(map);
}

void perl_set_release(struct perl_set *set)
{
    release_map(&set->by_pattern[0]);
    release_map(&set->by_pattern[1]);
}

const struct perl_regex *perl_set_get(struct perl_set *set, struct str pattern, bool ignore_case, struct arena *arena,
                                      struct str *ret_error, size_t *ret_offset)
{
    struct map *map = &set->by_pattern[ignore_case];
    struct perl_regex *regex = map_get(map, pattern);
    if (regex != NULL)
        return regex;
    regex = perl_regex_new(pattern, ignore_case, arena, ret_error, ret_offset);
    if (regex != NULL)
        map_put(map, str_of(memory_copy_text(pattern.data, pattern.len), pattern.len), regex);
    return regex;
}
