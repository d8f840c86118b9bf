/* The registries of middlewares and services, as names and as alternatives for the binder. */
#include "exchange/middleware.h"
#include "exchange/service.h"
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

static const struct choice_type *middleware_choice(size_t index)
{
    REGISTRY_FOREACH(middleware_type, const struct middleware_type, it)
        if (index-- == 0)
            return &(*it)->choice;
    return NULL;
}

/* Services without a table are internal: no configuration can make one. */
static const struct choice_type *service_choice(size_t index)
{
    REGISTRY_FOREACH(service_type, const struct service_type, it)
        if ((*it)->choice.table != NULL && index-- == 0)
            return &(*it)->choice;
    return NULL;
}

/* The model lies below and cannot see the registries: it is told of them before main. */
__attribute__((constructor)) static void tell_model(void)
{
    model_middleware_choices = middleware_choice;
    model_service_choices = service_choice;
}
