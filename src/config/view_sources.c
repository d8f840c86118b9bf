/* Where each option that was said came from: the struct, its table and the nodes that it was bound from, side by side. */
#include "config/view.h"
#include "config/view_value.h"

#define PATH_MAX_BYTES ((size_t)1 << 16)

struct sourcing {
    struct json *json;
    struct text path, place;
};

static void add_members(struct sourcing *s, const struct option_table *table, const void *value, const struct node *node);

/* One line; a NULL option: the object as a whole, which `is_there` or was switched off. */
static void add_line(struct sourcing *s, const struct option *option, const void *storage, bool is_there, const struct node *node)
{
    json_open_object(s->json);
    json_member_str(s->json, "path", text_str(&s->path));
    json_key(s->json, S("value"));
    if (option != NULL)
        view_value(option, storage, s->json);
    else
        json_bool(s->json, is_there);
    text_clear(&s->place);
    diag_render_place(node_span(node), &s->place);
    json_key(s->json, S("source"));
    if (s->place.len != 0)
        json_str(s->json, text_str(&s->place));
    else
        json_nothing(s->json);
    json_end(s->json);
}

/* An object is told by what stands in it, or as a whole where nothing does. */
static void add_object(struct sourcing *s, const struct option_table *table, const void *value, const struct node *node)
{
    if (value == NULL || node->kind != NODE_MAP || node->count == 0 || table == NULL)
        add_line(s, NULL, NULL, value != NULL, node);
    else
        add_members(s, table, value, node);
}

static void add_objects(struct sourcing *s, const struct option *option, const struct objects *objects)
{
    size_t mark = s->path.len;
    for (size_t i = 0; i < objects->count; i++) {
        const struct object_item *item = &objects->items[i];
        if (item->node == NULL)
            continue;
        if (option->type == OPTION_LIST)
            text_addf(&s->path, "[%zu]", i);
        else
            text_addf(&s->path, ".%.*s", STR_ARGS(item->name));
        add_object(s, option->table, item->value, item->node);
        s->path.len = mark;
    }
}

static void add_option(struct sourcing *s, const struct option *option, const void *storage, const struct node *node)
{
    switch (option->type) {
    case OPTION_STRUCT:
        add_object(s, option->table, storage, node);
        return;
    case OPTION_OBJECT:
        add_object(s, option->table, *(void *const *)storage, node);
        return;
    case OPTION_LIST:
    case OPTION_MAP:
        add_objects(s, option, storage);
        return;
    default:
        add_line(s, option, storage, true, node);
    }
}

static void add_named(struct sourcing *s, const char *name)
{
    text_addf(&s->path, "%s%s", s->path.len != 0 ? "." : "", name);
}

static void add_members(struct sourcing *s, const struct option_table *table, const void *value, const struct node *node)
{
    size_t mark = s->path.len;
    for (size_t i = 0; i < table->count; i++) {
        const struct option *option = &table->options[i];
        const void *storage = view_storage(value, option);
        const struct choice *choice = option->type == OPTION_CHOICE ? storage : NULL;
        if (!view_is_stored(option) || (choice != NULL && choice->type == NULL))
            continue;
        if (choice != NULL) {
            add_named(s, choice->type->name);
            if (choice->node != NULL)
                add_object(s, choice->type->table, choice->value, choice->node);
        } else {
            const struct node *said = node_get(node, str_from(option->name));
            if (said == NULL && option->alias != NULL)
                said = node_get(node, str_from(option->alias));
            add_named(s, option->name);
            if (said != NULL && (said->kind != NODE_NULL || option->type == OPTION_OBJECT))
                add_option(s, option, storage, said);
        }
        s->path.len = mark;
    }
}

void view_source_items(const struct option_table *table, const void *value, struct str prefix, struct json *json)
{
    struct sourcing s = {.json = json};
    const struct node *node =
        table->origin_offset >= 0 ? *(const struct node *const *)((const char *)value + table->origin_offset) : NULL;
    if (node == NULL)
        return;
    text_init(&s.path, PATH_MAX_BYTES);
    text_init(&s.place, PATH_MAX_BYTES);
    text_add(&s.path, prefix);
    add_members(&s, table, value, node);
    text_release(&s.path);
    text_release(&s.place);
}

void view_sources(const struct option_table *table, const void *value, struct json *json)
{
    json_open_array(json);
    view_source_items(table, value, STR_NONE, json);
    json_end(json);
}
