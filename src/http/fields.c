/* The list of fields: adding, finding, removing. Names and values are views; nothing is copied but by
 * fields_joined. Does not judge values. */
#include "http/fields.h"

#include "http/field_id.h"
#include "http/token.h"

#define FIRST_CAPACITY 8

_Static_assert(FIELD_COUNT <= 64, "a set of ids fits one word");

/* What holds for one connection only, whatever else Connection lists. */
static const uint64_t hop_by_hop = FIELD_BIT(CONNECTION) | FIELD_BIT(KEEP_ALIVE) | FIELD_BIT(PROXY_CONNECTION) |
                                   FIELD_BIT(TE) | FIELD_BIT(TRANSFER_ENCODING) | FIELD_BIT(UPGRADE);

void fields_init(struct fields *fields, struct arena *arena, uint32_t capacity)
{
    *fields = (struct fields){.arena = arena};
    if (capacity != 0)
        fields->items = arena_alloc(arena, capacity * sizeof(*fields->items));
    if (fields->items != NULL)
        fields->capacity = capacity;
}

bool fields_grow(struct fields *fields)
{
    uint32_t capacity = fields->capacity != 0 ? fields->capacity * 2 : FIRST_CAPACITY;
    struct field *items = arena_alloc(fields->arena, capacity * sizeof(*items));
    if (items == NULL)
        return false;
    if (fields->count != 0)
        memcpy(items, fields->items, fields->count * sizeof(*items));
    fields->items = items;
    fields->capacity = capacity;
    return true;
}

static void mark_present(struct fields *fields, enum field_id id)
{
    fields->present[id >> 6] |= UINT64_C(1) << (id & 63);
}

static void mark_absent(struct fields *fields, enum field_id id)
{
    if (id != FIELD_OTHER)
        fields->present[id >> 6] &= ~(UINT64_C(1) << (id & 63));
}

static inline bool add(struct fields *fields, enum field_id id, struct str name, struct str value)
{
    if (fields->count == fields->capacity && !fields_grow(fields))
        return false;
    fields->items[fields->count++] = (struct field){.name = name, .value = value, .id = (uint8_t)id};
    mark_present(fields, id);
    return true;
}

bool fields_add(struct fields *fields, struct str name, struct str value)
{
    return add(fields, field_identify_inline(name.data, name.len), name, value);
}

bool fields_add_id(struct fields *fields, enum field_id id, struct str value)
{
    return add(fields, id, field_title(id), value);
}

bool fields_add_line(struct fields *fields, struct str line, size_t name_len)
{
    size_t value_at = name_len + 2;
    if (!add(fields, FIELD_OTHER, str_first(line, name_len), str_of(line.data + value_at, line.len - value_at - 2)))
        return false;
    fields->items[fields->count - 1].verbatim = true;
    return true;
}

struct field *fields_find(const struct fields *fields, enum field_id id)
{
    if (!fields_has(fields, id))
        return NULL;
    FIELDS_FOREACH(fields, field)
        if (field->id == id)
            return field;
    return NULL;
}

static bool is_named(const struct field *field, struct str name)
{
    return field->id == FIELD_OTHER && str_equal_nocase(field->name, name);
}

struct field *fields_find_name(const struct fields *fields, struct str name)
{
    enum field_id id = field_identify_inline(name.data, name.len);
    if (id != FIELD_OTHER)
        return fields_find(fields, id);
    if (!fields_has(fields, FIELD_OTHER))
        return NULL;
    FIELDS_FOREACH(fields, field)
        if (is_named(field, name))
            return field;
    return NULL;
}

struct str fields_value(const struct fields *fields, enum field_id id)
{
    const struct field *field = fields_find(fields, id);
    return field != NULL ? field->value : STR_NONE;
}

struct str fields_value_name(const struct fields *fields, struct str name)
{
    const struct field *field = fields_find_name(fields, name);
    return field != NULL ? field->value : STR_NONE;
}

struct str fields_joined(const struct fields *fields, enum field_id id, struct arena *arena)
{
    const struct field *first = fields_find(fields, id);
    if (first == NULL)
        return STR_NONE;
    size_t len = 0, count = 0;
    FIELDS_FOREACH(fields, field) {
        if (field->id == id) {
            len += field->value.len + 2;
            count++;
        }
    }
    if (count == 1)
        return first->value;
    char *joined = arena_alloc(arena, len);
    if (joined == NULL)
        return STR_NONE;
    char *out = joined;
    FIELDS_FOREACH(fields, field) {
        if (field->id == id) {
            out = mempcpy(out, field->value.data, field->value.len);
            out = mempcpy(out, ", ", 2);
        }
    }
    return str_of(joined, len - 2);
}

static void drop(struct field *field)
{
    field->name = STR_NONE;
    field->id = FIELD_OTHER;
}

uint32_t fields_remove(struct fields *fields, enum field_id id)
{
    uint32_t removed = 0;
    if (!fields_has(fields, id))
        return 0;
    FIELDS_FOREACH(fields, field) {
        if (field->id == id) {
            drop(field);
            removed++;
        }
    }
    mark_absent(fields, id);
    return removed;
}

void fields_remove_each(struct fields *fields, uint64_t ids)
{
    if ((fields->present[0] & ids) == 0)
        return;
    fields->present[0] &= ~ids;
    for (struct field *field = fields->items, *end = field + fields->count; field < end; field++)
        if ((ids >> field->id & 1) != 0)
            drop(field);
}

uint32_t fields_remove_name(struct fields *fields, struct str name)
{
    enum field_id id = field_identify_inline(name.data, name.len);
    if (id != FIELD_OTHER)
        return fields_remove(fields, id);
    uint32_t removed = 0;
    FIELDS_FOREACH(fields, field) {
        if (is_named(field, name)) {
            drop(field);
            removed++;
        }
    }
    return removed;
}

bool fields_set(struct fields *fields, enum field_id id, struct str value)
{
    fields_remove(fields, id);
    return fields_add_id(fields, id, value);
}

bool fields_set_name(struct fields *fields, struct str name, struct str value)
{
    fields_remove_name(fields, name);
    return fields_add(fields, name, value);
}

/* Takes out the fields that one Connection value lists. */
static void remove_listed(struct fields *fields, struct str options)
{
    struct str option;
    while (token_next(&options, &option))
        if (field_identify_inline(option.data, option.len) == FIELD_OTHER)
            fields_remove_name(fields, option);
}

static bool te_asks_for_trailers(const struct fields *fields)
{
    if (!fields_has(fields, FIELD_TE))
        return false;
    FIELDS_FOREACH(fields, field)
        if (field->id == FIELD_TE && token_list_has(field->value, S("trailers")))
            return true;
    return false;
}

void fields_remove_hop_by_hop(struct fields *fields, bool keep_trailers_te)
{
    if ((fields->present[0] & hop_by_hop) == 0)
        return;
    if (fields_has(fields, FIELD_CONNECTION)) {
        FIELDS_FOREACH(fields, field)
            if (field->id == FIELD_CONNECTION)
                remove_listed(fields, field->value);
    }
    bool keep_te = keep_trailers_te && te_asks_for_trailers(fields);
    fields_remove_each(fields, hop_by_hop);
    if (keep_te)
        fields_add_id(fields, FIELD_TE, S("trailers"));
}
