#include "proto/h2/head.h"

#include <assert.h>

#define HOP_BY_HOP \
    (FIELD_BIT(CONNECTION) | FIELD_BIT(KEEP_ALIVE) | FIELD_BIT(PROXY_CONNECTION) | FIELD_BIT(TRANSFER_ENCODING) | \
     FIELD_BIT(UPGRADE) | FIELD_BIT(HOST))

size_t h2_head_count_lines(struct str lines)
{
    size_t count = 0;
    ptrdiff_t newline;
    for (size_t at = 0; at < lines.len && (newline = str_find_char(lines, '\n', at)) >= 0; at = (size_t)newline + 1)
        count++;
    return count;
}

bool h2_head_init(struct h2_head *head, struct arena *arena, size_t capacity)
{
    *head = (struct h2_head){.items = arena_alloc(arena, (capacity + 1) * sizeof(nghttp2_nv)), .capacity = capacity};
    return head->items != NULL;
}

void h2_head_add(struct h2_head *head, struct str name, struct str value)
{
    assert(head->count < head->capacity);
    head->items[head->count++] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name.data,
                                              .value = (uint8_t *)(uintptr_t)value.data,
                                              .namelen = name.len,
                                              .valuelen = value.len};
}

void h2_head_add_fields(struct h2_head *head, const struct fields *fields, uint64_t except)
{
    except = (except | HOP_BY_HOP) & ~UINT64_C(1);
    FIELDS_FOREACH(fields, field) {
        if ((except >> field->id & 1) != 0)
            continue;
        if (field->id == FIELD_TE && !str_equal_nocase(field->value, S("trailers")))
            continue;
        h2_head_add(head, field->name, field->value);
    }
}

void h2_head_add_lines(struct h2_head *head, struct str lines)
{
    while (lines.len != 0) {
        ptrdiff_t colon = str_find_char(lines, ':', 0);
        ptrdiff_t newline = str_find_char(lines, '\n', 0);
        if (colon < 0 || newline < colon)
            return;
        struct str value = str_of(lines.data + colon + 1, (size_t)(newline - colon - 1));
        /* The carriage return goes with the white space. */
        h2_head_add(head, str_first(lines, (size_t)colon), str_trim_space(value));
        lines = str_from_index(lines, (size_t)newline + 1);
    }
}
