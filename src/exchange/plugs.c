/* The registries of middlewares, services and kinds of variables, as names and as alternatives for the binder. */
#include <assert.h>
#include <string.h>

#include "exchange/middleware.h"
#include "exchange/service.h"
#include "exchange/variable_kind.h"
#include "model/http.h"

static bool has_name(const struct choice_type *choice, struct str name)
{
    return str_equal_nocase(name, str_from(choice->name)) ||
           (choice->alias != NULL && str_equal_nocase(name, str_from(choice->alias)));
}

const struct middleware_type *middleware_find(struct str name)
{
    REGISTRY_FOREACH(middleware_type, const struct middleware_type, it)
        if (has_name(&(*it)->choice, name))
            return *it;
    return NULL;
}

const struct service_type *service_find(struct str name)
{
    REGISTRY_FOREACH(service_type, const struct service_type, it)
        if (has_name(&(*it)->choice, name))
            return *it;
    return NULL;
}

#define CHOICES_MAX 128

/* The order of a registry is that of the link, which differs from build to build: what people see is sorted by name. */
struct choices {
    const struct choice_type *items[CHOICES_MAX];
    size_t count;
};
static struct choices middlewares, services, variables;

static void add_choice(struct choices *choices, const struct choice_type *choice)
{
    size_t at = choices->count;
    assert(at < CHOICES_MAX);
    for (; at > 0 && strcmp(choices->items[at - 1]->name, choice->name) > 0; at--)
        choices->items[at] = choices->items[at - 1];
    choices->items[at] = choice;
    choices->count++;
}

static const struct choice_type *middleware_choice(size_t index)
{
    return index < middlewares.count ? middlewares.items[index] : NULL;
}

static const struct choice_type *service_choice(size_t index)
{
    return index < services.count ? services.items[index] : NULL;
}

static const struct choice_type *variable_choice(size_t index)
{
    return index < variables.count ? variables.items[index] : NULL;
}

/* The model lies below and cannot see the registries: it is told of them before main. Services without a table are internal:
 * no configuration can make one. */
__attribute__((constructor)) static void tell_model(void)
{
    REGISTRY_FOREACH(middleware_type, const struct middleware_type, it)
        add_choice(&middlewares, &(*it)->choice);
    REGISTRY_FOREACH(service_type, const struct service_type, it)
        if ((*it)->choice.table != NULL)
            add_choice(&services, &(*it)->choice);
    REGISTRY_FOREACH(variable_kind, const struct variable_kind, it)
        add_choice(&variables, &(*it)->choice);
    model_variable_choices = variable_choice;
    model_middleware_choices = middleware_choice;
    model_service_choices = service_choice;
}
