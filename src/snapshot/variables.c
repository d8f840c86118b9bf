/* The variables that are computed from others: `http.variables`. */
#include "exchange/variable_kind.h"
#include "exchange/variable_table.h"
#include "snapshot/build.h"

static struct str short_name(const struct named *named)
{
    return str_first(named->name, (size_t)str_find_last_char(named->name, '@'));
}

static struct span place(const struct named *named)
{
    return named->node != NULL ? named->node->key_span : SPAN_NONE;
}

/* The owner's come first: what a label says must not take their names. */
static void define(struct build *build, bool lenient)
{
    const struct map *map = &build->names.maps[NAME_VARIABLE];
    for (uint32_t i = 0; i < map->count; i++) {
        struct named *named = map->items[i].value;
        struct object object;
        if (named == NULL || named->lenient != lenient)
            continue;
        build_object_begin(build, &object, named);
        named->built = variable_define(&build->compile, short_name(named), place(named));
        build_object_end(build, &object, named->built != NULL);
    }
}

void build_variable_names(struct build *build)
{
    define(build, false);
    define(build, true);
}

static bool compute(struct build *build, struct variable *variable, const struct variable_config *config)
{
    const struct variable_kind *kind = container_of(config->type.type, struct variable_kind, choice);
    void *state = arena_zalloc(&build->graph->arena, kind->state_size);
    variable->state = state;
    variable->destroy = kind->destroy;
    if (!kind->compile(config->type.value, state, &build->compile))
        return false;
    variable->is_volatile = kind->is_volatile != NULL && kind->is_volatile(config->type.value);
    variable->compute = kind->get;
    return true;
}

static void build_variable(struct build *build, struct named *named)
{
    const struct variable_config *config = named->value;
    struct object object;
    if (named->failed || named->built == NULL || config->type.type == NULL)
        return;
    diag_enter(build->compile.diag, place(named), "in variable '%.*s'", STR_ARGS(short_name(named)));
    build_object_begin(build, &object, named);
    build_object_end(build, &object, compute(build, named->built, config));
    diag_leave(build->compile.diag);
}

void build_variables(struct build *build)
{
    const struct map *map = &build->names.maps[NAME_VARIABLE];
    for (uint32_t i = 0; i < map->count; i++)
        if (map->items[i].value != NULL)
            build_variable(build, map->items[i].value);
}
