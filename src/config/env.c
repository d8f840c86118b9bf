#include "config/env.h"

#include <stdlib.h>

#include "base/vec.h"
#include "config/place.h"

#define STEPS_MAX 32

struct variable {
    struct str name, value;
    size_t prefix;   /* length of "TRAEFIK_" */
    bool ours;       /* PORTICO_ */
    const struct label *at;      /* where it stands in a file; NULL: it is its own place */
};

/* One step of the path that a variable names. */
struct step {
    struct str key;    /* empty: an index */
    size_t index;
    size_t from, to;   /* bytes of the variable's name */
};

struct walk {
    struct str name;
    struct arena *arena;
    struct step steps[STEPS_MAX];
    size_t count;
    /* Where the longest way through the tables ended. */
    struct place failed_place;
    size_t failed_at;
};

/* False: it is none of ours. */
static bool know_variable(struct variable *variable)
{
    variable->ours = str_starts(variable->name, S("PORTICO_"));
    variable->prefix = 8;
    return variable->ours || str_starts(variable->name, S("TRAEFIK_"));
}

static bool split_variable(const char *entry, struct variable *ret_variable)
{
    struct str text = str_from(entry);
    ptrdiff_t equals = str_find_char(text, '=', 0);
    if (equals < 0)
        return false;
    *ret_variable = (struct variable){.name = str_first(text, (size_t)equals),
                                      .value = str_of(entry + equals + 1, text.len - (size_t)equals - 1)};
    return know_variable(ret_variable);
}

static int by_name(const void *a, const void *b)
{
    const struct variable *left = a, *right = b;
    if (left->ours != right->ours)
        return left->ours ? 1 : -1;
    return str_compare(left->name, right->name);
}

/* Kubernetes tells every pod about a service called "portico" or "traefik" in variables of that name. */
static bool is_from_kubernetes(const struct variable *variable)
{
    struct str rest = str_from_index(variable->name, variable->prefix);
    return str_equal(rest, S("SERVICE_HOST")) || str_starts(rest, S("SERVICE_PORT")) ||
           (str_equal(rest, S("PORT")) && str_find(variable->value, S("://")) > 0) ||
           (str_starts(rest, S("PORT_")) &&
            (str_find(rest, S("_TCP")) > 0 || str_find(rest, S("_UDP")) > 0));
}

static bool is_ignored(const struct variable *variable, const char *const *ignored)
{
    struct str rest = str_from_index(variable->name, variable->prefix);
    for (; ignored != NULL && *ignored != NULL; ignored++) {
        if (str_equal_nocase(rest, str_from(*ignored)))
            return true;
    }
    return is_from_kubernetes(variable);
}

/* --- the way through the tables --------------------------------------------------------------------- */

static bool walk_from(struct walk *walk, struct place place, size_t at);

static bool take_step(struct walk *walk, struct place place, struct step step)
{
    if (walk->count == STEPS_MAX)
        return false;
    walk->steps[walk->count++] = step;
    if (step.to == walk->name.len || walk_from(walk, place, step.to + 1))
        return true;
    walk->count--;
    return false;
}

/* A name is as many words as it takes for the rest to be found. */
static bool walk_name(struct walk *walk, struct place place, size_t at)
{
    bool rest_is_name = place.option->type == OPTION_STRMAP;
    struct place inside = place;
    place_enter(&inside, S("NAME"));
    for (size_t from = at;;) {
        ptrdiff_t underscore = str_find_char(walk->name, '_', from);
        size_t end = underscore < 0 || rest_is_name ? walk->name.len : (size_t)underscore;
        /* A name of several words with nothing behind it is a misspelt option, not a name. */
        if (end == walk->name.len && from > at && !rest_is_name)
            return false;
        struct str key = arena_lower(walk->arena, str_of(walk->name.data + at, end - at));
        if (!str_empty(key) &&
            take_step(walk, inside, (struct step){.key = key, .from = at, .to = end}))
            return true;
        if (end == walk->name.len)
            return false;
        from = end + 1;
    }
}

static bool walk_index(struct walk *walk, struct place place, struct str word, size_t at)
{
    uint64_t index;
    if (!str_to_u64(word, &index) || index > NODE_INDEX_MAX)
        return false;
    place_index(&place);
    return take_step(walk, place,
                     (struct step){.index = (size_t)index, .from = at, .to = at + word.len});
}

static bool walk_from(struct walk *walk, struct place place, size_t at)
{
    if (at > walk->failed_at) {
        walk->failed_at = at;
        walk->failed_place = place;
    }
    if (place.name_next)
        return walk_name(walk, place, at);
    ptrdiff_t underscore = str_find_char(walk->name, '_', at);
    size_t end = underscore < 0 ? walk->name.len : (size_t)underscore;
    if (end == at)
        return false;
    struct str word = str_of(walk->name.data + at, end - at);
    if (place.index_next)
        return walk_index(walk, place, word, at);
    struct place inside = place;
    if (!place_enter(&inside, word))
        return false;
    struct step step = {.key = place_spelling(&place, word), .from = at, .to = end};
    return take_step(walk, inside, step);
}

/* --- into the tree ---------------------------------------------------------------------------------- */

static struct span name_span(const struct variable *variable, const struct source *source, size_t from, size_t to)
{
    if (variable->at != NULL)
        return span_inside(variable->at->key_span, from, to - from);
    return span_make(source, 1, from + 1, to - from);
}

static void report_unknown(const struct walk *walk, const struct variable *variable,
                           const struct source *source, struct diag *diag)
{
    struct diag_item *item =
        diag_warning(diag, name_span(variable, source, variable->prefix, variable->name.len),
                     "environment variable '%.*s' is no option", STR_ARGS(variable->name));
    size_t count, at = walk->failed_at;
    struct str *keys = place_keys(&walk->failed_place, diag->arena, &count);
    ptrdiff_t underscore = str_find_char(walk->name, '_', at);
    size_t end = underscore < 0 ? walk->name.len : (size_t)underscore;
    if (at >= end)
        return;
    struct str found = nearest(str_of(walk->name.data + at, end - at), keys, count);
    if (str_empty(found))
        return;
    char *upper = arena_zalloc(diag->arena, found.len + 1);
    for (size_t i = 0; i < found.len; i++)
        upper[i] = found.data[i] >= 'a' && found.data[i] <= 'z' ? (char)(found.data[i] - 32)
                                                                : found.data[i];
    diag_hint(diag, item, "did you mean '%.*s%s%.*s'?", STR_ARGS(str_first(walk->name, at)), upper,
              STR_ARGS(str_from_index(walk->name, end)));
}

static void set_value(struct arena *arena, struct node *root, const struct walk *walk,
                      const struct variable *variable, const struct source *source,
                      struct diag *diag)
{
    struct node *node = root;
    for (size_t i = 0; i < walk->count && node != NULL; i++) {
        const struct step *step = &walk->steps[i];
        struct span span = name_span(variable, source, step->from, step->to);
        node = str_empty(step->key) ? node_make_item(arena, node, step->index, span)
                                    : node_make_member(arena, node, step->key, span);
    }
    size_t name = variable->name.len;
    struct span span = variable->at != NULL ? variable->at->value_span
                                            : name_span(variable, source, name + 1, source->content.len);
    struct str value = str_of(source->content.data + name + 1, source->content.len - name - 1);
    if (node == NULL || !node_set_text(node, value, span))
        diag_error(diag, name_span(variable, source, 0, name),
                   "'%.*s' cannot go with other variables that are set", STR_ARGS(variable->name));
}

static void read_variable(struct arena *arena, struct node *root, const struct variable *variable,
                          const struct option_table *table, struct diag *diag)
{
    struct str whole = arena_printf(arena, "%.*s=%.*s", STR_ARGS(variable->name),
                                    STR_ARGS(variable->value));
    const struct source *source = diag_source_word(arena, variable->name, whole);
    struct walk walk = {.name = variable->name, .arena = arena};
    if (walk_from(&walk, place_root(table), variable->prefix))
        set_value(arena, root, &walk, variable, source, diag);
    else
        report_unknown(&walk, variable, source, diag);
}

struct variable_list {
    VEC(struct variable) variables;
};

static struct node *read_all(struct variable_list *list, const struct option_table *table, struct arena *arena, struct diag *diag)
{
    struct node *root = node_new(arena, NODE_MAP, SPAN_NONE);
    if (list->variables.count > 1)
        qsort(list->variables.items, list->variables.count, sizeof(*list->variables.items), by_name);
    for (size_t i = 0; i < list->variables.count; i++)
        read_variable(arena, root, &list->variables.items[i], table, diag);
    VEC_RELEASE(&list->variables);
    return root;
}

struct node *env_read(char *const *environment, const struct option_table *table,
                      const char *const *ignored, struct arena *arena, struct diag *diag)
{
    struct variable_list list = {.variables = {0}};
    for (; *environment != NULL; environment++) {
        struct variable variable;
        if (split_variable(*environment, &variable) && !is_ignored(&variable, ignored))
            VEC_PUSH(&list.variables, variable);
    }
    return read_all(&list, table, arena, diag);
}

struct node *env_read_at(const struct label *variables, size_t count, const struct option_table *table,
                         const char *const *ignored, struct arena *arena, struct diag *diag)
{
    struct variable_list list = {.variables = {0}};
    for (size_t i = 0; i < count; i++) {
        struct variable variable = {.name = variables[i].key, .value = variables[i].value, .at = &variables[i]};
        if (know_variable(&variable) && !is_ignored(&variable, ignored))
            VEC_PUSH(&list.variables, variable);
    }
    return read_all(&list, table, arena, diag);
}
