#include "route/regex_set.h"

#include <stdlib.h>

#include "base/memory.h"

void regex_set_init(struct regex_set *set)
{
    map_init(&set->by_pattern, false);
}

void regex_set_release(struct regex_set *set)
{
    for (uint32_t i = 0; i < set->by_pattern.count; i++) {
        struct map_item *item = &set->by_pattern.items[i];
        regex_free(item->value);
        free((void *)(uintptr_t)item->key.data);
    }
    map_release(&set->by_pattern);
}

const struct regex *regex_set_get(struct regex_set *set, struct str pattern, struct arena *arena,
                                  struct str *ret_error, size_t *ret_offset)
{
    struct regex *regex = map_get(&set->by_pattern, pattern);
    if (regex != NULL)
        return regex;
    regex = regex_new(pattern, arena, ret_error, ret_offset);
    if (regex != NULL)
        map_put(&set->by_pattern, str_of(memory_copy_text(pattern.data, pattern.len), pattern.len),
                regex);
    return regex;
}
