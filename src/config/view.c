/* A struct and its table, side by side: the values as JSON. Where they came from is in view_sources.c. */
#include "config/view.h"

#include "config/value.h"
#include "config/view_value.h"

struct viewing {
    enum view_wish wish;
    struct json *json;
    struct arena arena;      /* for defaults that are parsed */
    struct diag diag;
};

/* ---- is it worth a word? ---- */

static bool is_empty(const struct option *option, const void *storage)
{
    switch ((enum option_type)option->type) {
    case OPTION_BOOL:
        return !*(const bool *)storage;
    case OPTION_INT:
    case OPTION_DURATION:
    case OPTION_SIZE:
        return *(const int64_t *)storage == 0;
    case OPTION_NUMBER:
        return *(const double *)storage == 0;
    case OPTION_STR:
    case OPTION_STRS:
    case OPTION_STRMAP:
    case OPTION_LIST:
    case OPTION_MAP:
        return option_holds_nothing(option, storage);
    case OPTION_OBJECT:
        return *(void *const *)storage == NULL;
    case OPTION_CHOICE:
        return ((const struct choice *)storage)->type == NULL;
    case OPTION_ENUM:
        return view_enum_text(option, *(const int *)storage).len == 0;
    case OPTION_STRUCT:
        break;
    }
    return false;
}

/* Both are split by the rules of value_split, so the parts can be compared one by one. */
static bool strs_are(const struct strs *strs, struct str texts)
{
    struct str part;
    size_t index = 0;
    while (str_split(&texts, ',', &part)) {
        part = str_trim_space(part);
        if (str_empty(part))
            continue;
        if (index == strs->count || !str_equal(strs->items[index++], part))
            return false;
    }
    return index == strs->count;
}

static bool is_scalar_default(struct viewing *v, const struct option *option, const void *storage)
{
    union {
        bool truth;
        int chosen;
        int64_t number;
        double real;
        struct str text;
    } fallback = {.number = 0};
    if (option->fallback == NULL)
        return option->type == OPTION_ENUM ? *(const int *)storage == 0 : is_empty(option, storage);
    value_parse(option, str_from(option->fallback), SPAN_NONE, &fallback, &v->arena, &v->diag);
    switch (option->type) {
    case OPTION_BOOL:
        return *(const bool *)storage == fallback.truth;
    case OPTION_ENUM:
        return *(const int *)storage == fallback.chosen;
    case OPTION_NUMBER:
        return *(const double *)storage == fallback.real;
    case OPTION_STR:
        return str_equal(*(const struct str *)storage, fallback.text);
    default:      /* INT, DURATION, SIZE */
        return *(const int64_t *)storage == fallback.number;
    }
}

static bool has_defaults(struct viewing *v, const struct option_table *table, const void *value);

static bool is_default(struct viewing *v, const struct option *option, const void *storage)
{
    const void *object = option->type == OPTION_OBJECT ? *(void *const *)storage : NULL;
    switch (option->type) {
    case OPTION_STRS:
        return strs_are(storage, option->fallback != NULL ? str_from(option->fallback) : STR_NONE);
    case OPTION_STRUCT:
        return has_defaults(v, option->table, storage);
    case OPTION_OBJECT:
        return object == NULL ? option->fallback == NULL : option->fallback != NULL && has_defaults(v, option->table, object);
    case OPTION_STRMAP:
    case OPTION_LIST:
    case OPTION_MAP:
    case OPTION_CHOICE:
        return is_empty(option, storage);
    default:
        return is_scalar_default(v, option, storage);
    }
}

static bool has_defaults(struct viewing *v, const struct option_table *table, const void *value)
{
    for (size_t i = 0; table != NULL && i < table->count; i++) {
        const struct option *option = &table->options[i];
        if (view_is_stored(option) && !is_default(v, option, view_storage(value, option)))
            return false;
    }
    return true;
}

static bool is_shown(struct viewing *v, const struct option *option, const void *storage)
{
    if (!view_is_stored(option))
        return false;
    if (v->wish == VIEW_SAID)
        return !is_default(v, option, storage);
    if (v->wish == VIEW_DEFAULTS)
        return (option->type != OPTION_OBJECT && option->type != OPTION_CHOICE) || !is_empty(option, storage);
    return !is_empty(option, storage);
}

/* ---- values ---- */

static void write_members(struct viewing *v, const struct option_table *table, const void *value);

static void write_object(struct viewing *v, const struct option_table *table, const void *value)
{
    json_open_object(v->json);
    write_members(v, table, value);
    json_end(v->json);
}

static void write_objects(struct viewing *v, const struct option *option, const struct objects *objects)
{
    bool named = option->type == OPTION_MAP;
    if (named)
        json_open_object(v->json);
    else
        json_open_array(v->json);
    for (size_t i = 0; i < objects->count; i++) {
        if (named)
            json_key(v->json, objects->items[i].name);
        write_object(v, option->table, objects->items[i].value);
    }
    json_end(v->json);
}

static void write_option(struct viewing *v, const struct option *option, const void *storage)
{
    const struct choice *choice = storage;
    switch (option->type) {
    case OPTION_CHOICE:
        json_key(v->json, str_from(choice->type->name));
        write_object(v, choice->type->table, choice->value);
        return;
    case OPTION_STRUCT:
    case OPTION_OBJECT:
        json_key(v->json, str_from(option->name));
        if (option->type == OPTION_OBJECT)
            storage = *(void *const *)storage;
        if (storage != NULL)
            write_object(v, option->table, storage);
        else
            json_bool(v->json, false);      /* its default is to be there */
        return;
    case OPTION_LIST:
    case OPTION_MAP:
        json_key(v->json, str_from(option->name));
        write_objects(v, option, storage);
        return;
    default:
        json_key(v->json, str_from(option->name));
        view_value(option, storage, v->json);
    }
}

static void write_members(struct viewing *v, const struct option_table *table, const void *value)
{
    for (size_t i = 0; table != NULL && i < table->count; i++) {
        const struct option *option = &table->options[i];
        const void *storage = view_storage(value, option);
        if (is_shown(v, option, storage))
            write_option(v, option, storage);
    }
}

void view_members(const struct option_table *table, const void *value, enum view_wish wish, struct json *json)
{
    struct viewing v = {.wish = wish, .json = json};
    arena_init(&v.arena, ARENA_UNLIMITED);
    diag_init(&v.diag, &v.arena);
    write_members(&v, table, value);
    diag_release(&v.diag);
    arena_release(&v.arena);
}

void view_object(const struct option_table *table, const void *value, enum view_wish wish, struct json *json)
{
    json_open_object(json);
    view_members(table, value, wish, json);
    json_end(json);
}
