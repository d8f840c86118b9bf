/* Names become variables, and variables values: looked up while a graph is compiled, asked for and kept while it runs. */
#include "exchange/variable.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/graph.h"
#include "exchange/variable_table.h"

/* What a slot holds besides a value. Nothing: it was not asked for. */
#define WITHOUT_VALUE 1
#define IN_THE_MAKING 2
static const struct str without_value = {.data = NULL, .len = WITHOUT_VALUE};
static const struct str in_the_making = {.data = NULL, .len = IN_THE_MAKING};

/* ---- names ---- */

static struct str type_name(const char *text)
{
    return text != NULL ? str_from(text) : STR_NONE;
}

static bool is_family_of(const char *beginning, struct str name)
{
    struct str text = type_name(beginning);
    return text.len != 0 && name.len >= text.len && str_starts_nocase(name, text);
}

static const struct variable_type *find_type(struct str name, size_t *ret_argument)
{
    const struct variable_type *found = NULL;
    *ret_argument = 0;
    REGISTRY_FOREACH(variable_type, const struct variable_type, it) {
        const struct variable_type *type = *it;
        if (!type->family) {
            if (str_equal_nocase(name, type_name(type->name)) || str_equal_nocase(name, type_name(type->alias))) {
                *ret_argument = name.len;
                return type;
            }
            continue;
        }
        struct str beginning = is_family_of(type->name, name)    ? str_from(type->name)
                               : is_family_of(type->alias, name) ? str_from(type->alias)
                                                                 : STR_NONE;
        if (beginning.len > *ret_argument) {
            *ret_argument = beginning.len;
            found = type;
        }
    }
    return found;
}

bool variable_name_is_good(struct str name)
{
    bool any_letter = false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!ascii_alpha(c) && !ascii_digit(c) && c != '_')
            return false;
        any_letter |= !ascii_digit(c);
    }
    return any_letter || name.len > 1;
}

static int compare_types(const void *a, const void *b)
{
    const struct variable_type *const *one = a, *const *other = b;
    return strcmp((*one)->name, (*other)->name);
}

size_t variable_types(const struct variable_type **types, size_t max)
{
    size_t count = 0;
    REGISTRY_FOREACH(variable_type, const struct variable_type, it) {
        if (count < max)
            types[count] = *it;
        count++;
    }
    qsort(types, count < max ? count : max, sizeof(types[0]), compare_types);
    return count;
}

/* ---- the variables of a graph ---- */

struct variable_table *variable_table_new(struct arena *arena, bool order_is_free)
{
    struct variable_table *variables = arena_new(arena, struct variable_table);
    variables->arena = arena;
    variables->order_is_free = order_is_free;
    map_init(&variables->by_name, true);
    return variables;
}

void variable_table_release(struct variable_table *variables)
{
    if (variables == NULL)
        return;
    for (uint32_t i = 0; i < variables->by_name.count; i++) {
        const struct variable *variable = variables->by_name.items[i].value;
        if (variable->destroy != NULL)
            variable->destroy(variable->state);
    }
    map_release(&variables->by_name);
}

#define SUGGESTIONS_MAX 1024

static void report_unknown(struct variable_table *variables, struct diag *diag, struct str name, struct span span)
{
    struct str names[SUGGESTIONS_MAX];
    size_t count = 0;
    REGISTRY_FOREACH(variable_type, const struct variable_type, it) {
        if (count < SUGGESTIONS_MAX)
            names[count++] = str_from((*it)->name);
        if (count < SUGGESTIONS_MAX && (*it)->alias != NULL)
            names[count++] = str_from((*it)->alias);
    }
    for (uint32_t i = 0; i < variables->by_name.count && count < SUGGESTIONS_MAX; i++) {
        const struct variable *variable = variables->by_name.items[i].value;
        if (variable->declared || variable->defined)
            names[count++] = variable->name;
    }
    struct diag_item *item = diag_error(diag, span, "unknown variable '%.*s'", STR_ARGS(name));
    diag_suggest(diag, item, name, names, count);
}

static bool is_made_by_somebody(const struct variable *variable)
{
    return variable->type != NULL || variable->declared || variable->defined;
}

void variable_table_end(struct variable_table *variables, struct diag *diag)
{
    for (uint32_t i = 0; i < variables->by_name.count; i++) {
        const struct variable *variable = variables->by_name.items[i].value;
        if (!is_made_by_somebody(variable))
            report_unknown(variables, diag, variable->name, variable->first_use);
    }
}

static struct variable *add_variable(struct variable_table *variables, struct str name, struct span span)
{
    struct variable *variable = arena_new(variables->arena, struct variable);
    size_t argument;
    variable->name = arena_str(variables->arena, name);
    variable->owner = variables;
    variable->first_use = span;
    variable->slot = VARIABLE_NO_SLOT;
    variable->type = find_type(name, &argument);
    if (variable->type != NULL && variable->type->family)
        variable->argument = arena_lower(variables->arena, str_from_index(variable->name, argument));
    if (variable->type != NULL && variable->type->used != NULL)
        variable->type->used();
    map_put(&variables->by_name, variable->name, variable);
    return variable;
}

static void give_slot(struct variable *variable)
{
    struct variable_table *variables = (struct variable_table *)(uintptr_t)variable->owner;
    if (variable->slot == VARIABLE_NO_SLOT)
        variable->slot = variables->slots++;
}

const struct variable *variable_find(struct str name, struct compile *compile, struct span span)
{
    struct variable_table *variables = compile->variables;
    struct variable *variable = map_get(&variables->by_name, name);
    size_t argument;
    bool report_now = !variables->order_is_free || compile->lenient;
    if (variable == NULL && report_now && find_type(name, &argument) == NULL) {
        report_unknown(variables, compile->diag, name, span);
        return NULL;
    }
    if (variable == NULL)
        variable = add_variable(variables, name, span);
    if (report_now && !is_made_by_somebody(variable)) {
        report_unknown(variables, compile->diag, name, span);
        return NULL;
    }
    if (variable->type == NULL || !variable->type->is_volatile)
        give_slot(variable);
    return variable;
}

/* A name of the user's own, new or known. NULL: it cannot be one (reported). */
static struct variable *own_variable(struct compile *compile, struct str name, struct span span)
{
    struct variable *variable = map_get(&compile->variables->by_name, name);
    if (variable == NULL) {
        size_t argument;
        if (find_type(name, &argument) == NULL && !variable_name_is_good(name)) {
            diag_error(compile->diag, span, "'%.*s' is no name of a variable: letters, digits and '_'", STR_ARGS(name));
            return NULL;
        }
        variable = add_variable(compile->variables, name, span);
    }
    return variable;
}

const struct variable *variable_declare(struct str name, struct compile *compile, struct span span)
{
    struct variable *variable = own_variable(compile, name, span);
    if (variable == NULL)
        return NULL;
    if (variable->type != NULL && !variable->type->family) {
        if (variable->type->set != NULL)
            return variable;
        diag_error(compile->diag, span, "the variable '%.*s' is built in and cannot be set", STR_ARGS(name));
        return NULL;
    }
    variable->declared = true;
    give_slot(variable);
    return variable;
}

struct variable *variable_define(struct compile *compile, struct str name, struct span span)
{
    struct variable *variable = own_variable(compile, name, span);
    if (variable == NULL)
        return NULL;
    /* Whoever may write a label must not change what "http_host" is for others. */
    if (variable->type != NULL && (!variable->type->family || compile->lenient)) {
        diag_error(compile->diag, span, "the variable '%.*s' is built in", STR_ARGS(name));
        return NULL;
    }
    if (variable->defined) {
        diag_error(compile->diag, span, "there is another variable '%.*s' already", STR_ARGS(name));
        return NULL;
    }
    variable->defined = true;
    give_slot(variable);
    return variable;
}

/* ---- values ---- */

/* The exchange's place for it; NULL: it has none, because the variable belongs to another graph than the exchange (one that waited
 * for a server of a newer one) or memory is out. */
static struct str *slot_of(const struct variable *variable, struct exchange *x)
{
    const struct variable_table *variables = x->graph != NULL && x->graph->variables != NULL ? x->graph->variables : variable->owner;
    if (variables != variable->owner || variable->slot == VARIABLE_NO_SLOT)
        return NULL;
    if (x->values == NULL)
        x->values = arena_array(&x->arena, struct str, variables->slots);
    return x->values != NULL ? &x->values[variable->slot] : NULL;
}

/* The exchange's own graph knows it too, or it has no value here. */
static const struct variable *of_own_graph(const struct variable *variable, const struct exchange *x)
{
    if (x->graph == NULL || x->graph->variables == variable->owner || x->graph->variables == NULL)
        return variable;
    const struct variable *own = map_get(&x->graph->variables->by_name, variable->name);
    return own != NULL ? own : variable;
}

static struct str make_value(const struct variable *variable, struct exchange *x)
{
    if (variable->compute != NULL)
        return variable->compute(variable->state, x);
    return variable->type != NULL ? variable->type->get(x, variable->argument) : STR_NONE;
}

static __attribute__((noinline)) struct str make_and_keep(const struct variable *variable, struct exchange *x)
{
    struct str *slot = slot_of(variable, x);
    if (slot != NULL)
        *slot = in_the_making;      /* one that asks for itself in a circle has no value */
    struct str value = make_value(variable, x);
    bool is_kept = variable->compute != NULL ? !variable->is_volatile : variable->type != NULL && !variable->type->is_volatile;
    if (slot != NULL)
        *slot = !is_kept ? STR_NONE : value.data != NULL ? value : without_value;
    return value;
}

struct str variable_get(const struct variable *variable, struct exchange *x)
{
    if (variable->slot == VARIABLE_NO_SLOT)
        return variable->type->get(x, variable->argument);
    variable = of_own_graph(variable, x);
    const struct str *slot = slot_of(variable, x);
    if (slot == NULL || (slot->data == NULL && slot->len == 0))
        return make_and_keep(variable, x);
    return slot->data != NULL ? *slot : STR_NONE;
}

void variable_set(const struct variable *variable, struct exchange *x, struct str value)
{
    if (variable->type != NULL && variable->type->set != NULL) {
        variable->type->set(x, value);
        return;
    }
    variable = of_own_graph(variable, x);
    struct str *slot = slot_of(variable, x);
    if (slot != NULL)
        *slot = value.data != NULL ? value : S("");
}

static bool copy_value(struct str *to, struct str from, struct arena *arena)
{
    *to = from.data != NULL ? arena_str(arena, from) : from;
    return from.data == NULL || to->data != NULL;
}

bool variables_inherit(struct exchange *x, const struct exchange *parent)
{
    if (parent->values == NULL || parent->graph != x->graph)
        return true;
    uint32_t slots = x->graph->variables->slots;
    x->values = arena_array(&x->arena, struct str, slots);
    for (uint32_t i = 0; x->values != NULL && i < slots; i++)
        if (!copy_value(&x->values[i], parent->values[i], &x->arena))
            return false;
    return x->values != NULL;
}

void variables_give_back(struct exchange *parent, const struct exchange *x)
{
    if (x->values == NULL || parent->graph != x->graph)
        return;
    const struct variable_table *variables = x->graph->variables;
    if (parent->values == NULL)
        parent->values = arena_array(&parent->arena, struct str, variables->slots);
    for (uint32_t i = 0; parent->values != NULL && i < variables->by_name.count; i++) {
        const struct variable *variable = variables->by_name.items[i].value;
        bool is_own = (variable->declared || variable->compute != NULL) && variable->slot != VARIABLE_NO_SLOT;
        if (!is_own || x->values[variable->slot].data == NULL)
            continue;
        struct str *to = &parent->values[variable->slot];
        if (to->data == NULL || !str_equal(*to, x->values[variable->slot]))
            copy_value(to, x->values[variable->slot], &parent->arena);
    }
}

struct str variable_get_named(struct exchange *x, struct str name)
{
    const struct variable_table *variables = x->graph != NULL ? x->graph->variables : NULL;
    const struct variable *variable = variables != NULL ? map_get(&variables->by_name, name) : NULL;
    if (variable != NULL)
        return variable_get(variable, x);
    size_t argument;
    const struct variable_type *type = find_type(name, &argument);
    if (type == NULL)
        return STR_NONE;
    return type->get(x, type->family ? arena_lower(&x->arena, str_from_index(name, argument)) : STR_NONE);
}
