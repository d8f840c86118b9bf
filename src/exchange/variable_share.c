/* The values of a request and of a request of our own that serves it: one set for people, two in memory, since either may end first. */
#include "exchange/graph.h"
#include "exchange/variable.h"
#include "exchange/variable_table.h"

static const struct variable_table *variables_of(const struct exchange *x)
{
    return x->graph->variables;
}

/* What is asked for right now (data NULL) is asked for anew by the other. */
static bool copy_value(struct exchange *to, const struct exchange *from, uint32_t slot)
{
    struct str value = from->values[slot];
    if (value.data != NULL)
        to->values[slot] = arena_str(&to->arena, value);
    return value.data == NULL || to->values[slot].data != NULL;
}

static bool make_room(struct exchange *x)
{
    if (x->values == NULL)
        x->values = arena_array(&x->arena, struct str, variables_of(x)->slots);
    return x->values != NULL;
}

bool variables_inherit(struct exchange *x, const struct exchange *parent)
{
    if (parent->values == NULL || variables_of(x) == NULL)
        return true;
    if (variables_of(x) != variables_of(parent) || !make_room(x))
        return variables_of(x) != variables_of(parent);
    for (uint32_t slot = 0; slot < variables_of(x)->slots; slot++)
        if (!copy_value(x, parent, slot))
            return false;
    return true;
}

/* Those that are set by somebody; what was computed the parent can compute for itself. */
void variables_give_back(struct exchange *parent, const struct exchange *x)
{
    const struct variable_table *variables = variables_of(x);
    if (x->values == NULL || variables == NULL || variables != variables_of(parent) || !make_room(parent))
        return;
    for (uint32_t i = 0; i < variables->by_name.count; i++) {
        const struct variable *variable = variables->by_name.items[i].value;
        if (variable != NULL && variable->declared && variable->slot != VARIABLE_NO_SLOT)
            copy_value(parent, x, variable->slot);
    }
}
