#include "middleware/field_edits.h"

#include <assert.h>

#include "http/token.h"

void field_edits_init(struct field_edits *edits, size_t capacity, struct arena *arena)
{
    *edits = (struct field_edits){.capacity = capacity,
                                  .items = arena_array(arena, struct field_edit, capacity)};
}

void field_edits_add(struct field_edits *edits, struct str name, struct str value)
{
    assert(edits->count < edits->capacity);
    edits->items[edits->count++] = (struct field_edit){
        .name = name, .value = value, .id = field_identify(name.data, name.len)};
}

static bool frames_a_message(enum field_id id)
{
    return id == FIELD_CONTENT_LENGTH || id == FIELD_TRANSFER_ENCODING || id == FIELD_CONNECTION ||
           id == FIELD_KEEP_ALIVE || id == FIELD_UPGRADE || id == FIELD_TE || id == FIELD_TRAILER;
}

static bool check(const struct strmap_item *item, const struct node *node, struct compile *compile)
{
    if (!token_is_valid(item->name)) {
        diag_error(compile->diag, node != NULL ? node->key_span : SPAN_NONE,
                   "'%.*s' is not a header field's name", STR_ARGS(item->name));
        return false;
    }
    if (!token_is_field_value(item->value)) {
        diag_error(compile->diag, node_span(node), "'%.*s' has bytes that no header field may hold",
                   STR_ARGS(item->name));
        return false;
    }
    return true;
}

bool field_edits_compile(struct field_edits *edits, const struct strmap *map,
                         const struct node *origin, struct str key, struct compile *compile)
{
    const struct node *nodes = node_get(origin, key);
    bool good = true;
    field_edits_init(edits, map->count, compile->arena);
    for (size_t i = 0; i < map->count; i++) {
        const struct strmap_item *item = &map->items[i];
        const struct node *node = node_get(nodes, item->name);
        if (!check(item, node, compile)) {
            good = false;
        } else if (frames_a_message(field_identify(item->name.data, item->name.len))) {
            diag_warning(compile->diag, node != NULL ? node->key_span : SPAN_NONE,
                         "'%.*s' belongs to the connection and is not changed",
                         STR_ARGS(item->name));
        } else {
            field_edits_add(edits, item->name, str_trim(item->value));
        }
    }
    return good;
}

static bool apply(const struct field_edit *edit, struct fields *fields)
{
    if (edit->value.len != 0)
        return edit->id != FIELD_OTHER ? fields_set(fields, edit->id, edit->value)
                                       : fields_set_name(fields, edit->name, edit->value);
    if (edit->id != FIELD_OTHER)
        fields_remove(fields, edit->id);
    else
        fields_remove_name(fields, edit->name);
    return true;
}

bool field_edits_apply(const struct field_edits *edits, struct fields *fields)
{
    for (size_t i = 0; i < edits->count; i++) {
        if (!apply(&edits->items[i], fields))
            return false;
    }
    return true;
}
