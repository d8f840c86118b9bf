#include "config/place.h"

#define SEARCH_DEPTH 8

struct place place_root(const struct option_table *table)
{
    return (struct place){.table = table};
}

static struct place place_of_option(const struct option *option)
{
    struct place place = {.option = option};
    switch ((enum option_type)option->type) {
    case OPTION_STRUCT:
    case OPTION_OBJECT:
        place.table = option->table;
        break;
    case OPTION_LIST:
        place.index_next = true;
        break;
    case OPTION_MAP:
    case OPTION_STRMAP:
        place.name_next = true;
        break;
    case OPTION_BOOL:
    case OPTION_INT:
    case OPTION_NUMBER:
    case OPTION_DURATION:
    case OPTION_SIZE:
    case OPTION_STR:
    case OPTION_ENUM:
    case OPTION_STRS:
    case OPTION_CHOICE:
        place.is_value = true;
        break;
    }
    return place;
}

static bool enter_named(struct place *place)
{
    const struct option *option = place->option;
    if (option->type == OPTION_STRMAP)
        *place = (struct place){.option = option, .is_value = true};
    else
        *place = (struct place){.option = option, .table = option->table};
    return true;
}

bool place_enter(struct place *place, struct str key)
{
    if (str_empty(key))
        return false;
    if (place->name_next)
        return enter_named(place);
    const struct option *option = option_find(place->table, key);
    if (option != NULL) {
        *place = place_of_option(option);
        return true;
    }
    const struct choice_type *type = choice_find(option_find_choice(place->table), key);
    if (type == NULL)
        return false;
    *place = (struct place){.table = type->table, .choice = type};
    return true;
}

bool place_index(struct place *place)
{
    const struct option *option = place->option;
    if (place->index_next) {
        *place = (struct place){.option = option, .table = option->table};
        return true;
    }
    return place->is_value && option->type == OPTION_STRS;
}

bool place_follow(struct place *place, struct str path, struct str *ret_failed)
{
    struct str rest = path, part;
    while (str_split(&rest, '.', &part)) {
        ptrdiff_t bracket = str_find_char(part, '[', 0);
        *ret_failed = bracket < 0 ? part : str_first(part, (size_t)bracket);
        /* Whoever asks about a path may leave the index of a list out. */
        if (place->index_next)
            place_index(place);
        if (!place_enter(place, *ret_failed))
            return false;
        if (bracket < 0)
            continue;
        *ret_failed = str_from_index(part, (size_t)bracket);
        if (!place_index(place))
            return false;
    }
    return true;
}

struct str place_spelling(const struct place *place, struct str key)
{
    if (place->name_next)
        return key;
    const struct option *option = option_find(place->table, key);
    if (option != NULL)
        return str_from(option->name);
    const struct choice_type *type = choice_find(option_find_choice(place->table), key);
    return type != NULL ? str_from(type->name) : key;
}

static size_t count_choices(const struct option *choice)
{
    size_t count = 0;
    while (choice != NULL && choice->choices != NULL && choice->choices(count) != NULL)
        count++;
    return count;
}

struct str *place_keys(const struct place *place, struct arena *arena, size_t *ret_count)
{
    *ret_count = 0;
    if (place->table == NULL)
        return NULL;
    const struct option *choice = option_find_choice(place->table);
    size_t choices = count_choices(choice);
    struct str *keys = arena_array(arena, struct str, place->table->count + choices + 1);
    for (size_t i = 0; i < place->table->count; i++) {
        const struct option *option = &place->table->options[i];
        if (option->type != OPTION_CHOICE && option->removed == NULL)
            keys[(*ret_count)++] = str_from(option->name);
    }
    for (size_t i = 0; i < choices; i++)
        keys[(*ret_count)++] = str_from(choice->choices(i)->name);
    return keys;
}

bool place_is_switch(const struct place *place)
{
    if (place->table != NULL)
        return true;
    return place->is_value && place->option->type == OPTION_BOOL;
}

/* --- search ----------------------------------------------------------------------------------------- */

/* One step of the path to where the search is. */
struct step {
    const char *name, *suffix;
    const struct step *outer;
};

struct search {
    struct str key;
    struct arena *arena;
    size_t depth;        /* at which a hit counts: it grows, so that the shallowest is found */
};

static struct str search_table(const struct search *search, const struct option_table *table,
                               const struct step *outer, size_t depth);

static struct str join_steps(struct arena *arena, const struct step *step, struct str rest)
{
    for (; step != NULL; step = step->outer)
        rest = arena_printf(arena, "%s%s.%.*s", step->name, step->suffix, STR_ARGS(rest));
    return rest;
}

static struct str search_below(const struct search *search, const struct option *option,
                               const struct step *outer, size_t depth)
{
    if (option->table == NULL || option->removed != NULL)
        return STR_NONE;
    struct step step = {.name = option->name, .suffix = "", .outer = outer};
    if (option->type == OPTION_MAP)
        step.suffix = ".NAME";
    else if (option->type == OPTION_LIST)
        step.suffix = "[0]";
    return search_table(search, option->table, &step, depth + 1);
}

static struct str search_choices(const struct search *search, const struct option *choice,
                                 const struct step *outer, size_t depth)
{
    const struct choice_type *type;
    for (size_t i = 0; choice->choices != NULL && (type = choice->choices(i)) != NULL; i++) {
        struct step step = {.name = type->name, .suffix = "", .outer = outer};
        struct str found = search_table(search, type->table, &step, depth + 1);
        if (!str_empty(found))
            return found;
    }
    return STR_NONE;
}

static struct str hit(const struct search *search, const struct option_table *table,
                      const struct step *outer)
{
    struct place at = place_root(table), inside = at;
    if (!place_enter(&inside, search->key))
        return STR_NONE;
    if (inside.option != NULL && inside.option->removed != NULL)
        return STR_NONE;
    return join_steps(search->arena, outer, place_spelling(&at, search->key));
}

static struct str search_table(const struct search *search, const struct option_table *table,
                               const struct step *outer, size_t depth)
{
    if (table == NULL || depth == search->depth)
        return table == NULL ? STR_NONE : hit(search, table, outer);
    for (size_t i = 0; i < table->count; i++) {
        const struct option *option = &table->options[i];
        struct str found = option->type == OPTION_CHOICE
                               ? search_choices(search, option, outer, depth)
                               : search_below(search, option, outer, depth);
        if (!str_empty(found))
            return found;
    }
    return STR_NONE;
}

struct str place_search(const struct option_table *table, struct str key, struct arena *arena)
{
    struct search search = {.key = key, .arena = arena};
    struct str found = STR_NONE;
    for (search.depth = 0; search.depth < SEARCH_DEPTH && str_empty(found); search.depth++)
        found = search_table(&search, table, NULL, 0);
    return found;
}
