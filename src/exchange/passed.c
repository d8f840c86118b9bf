#include "exchange/passed.h"

#include "exchange/graph.h"

#define DEPTH_MAX 16      /* as many hops as a request may take */

static bool reaches(const struct service *from, const struct service *to, unsigned depth)
{
    if (from == to)
        return true;
    if (depth == DEPTH_MAX)
        return false;
    struct service *child;
    for (unsigned i = 0; (child = service_child(from, i)) != NULL; i++)
        if (reaches(child, to, depth + 1))
            return true;
    return false;
}

bool service_reaches(const struct service *from, const struct service *to)
{
    return reaches(from, to, 0);
}

/* Where the request began to look for a server; a detour (errors) begins at the service that it names. */
static struct service *first_service(const struct exchange *x)
{
    return x->router != NULL && !x->detour ? x->router->service : x->service;
}

static __attribute__((noinline)) struct service *next_child(const struct exchange *x, const struct service *service)
{
    struct service *child;
    for (unsigned i = 0; (child = service_child(service, i)) != NULL; i++)
        if (service_reaches(child, x->service))
            return child;
    return NULL;
}

/* The next one towards x->service; NULL behind it. */
static inline struct service *next_service(const struct exchange *x, const struct service *service)
{
    return service != x->service ? next_child(x, service) : NULL;
}

void passed_on_response(struct exchange *x)
{
    if (x->service == NULL)
        return;
    for (struct service *service = first_service(x); service != NULL; service = next_service(x, service))
        if (service->type->on_response != NULL && !service->ignores_responses)
            service->type->on_response(x, service);
}

static inline bool may_refuse(const struct exchange *x, const struct service_type *type)
{
    return type->refuses != NULL && (x->forwarding != NULL || !type->refuses_by_forwarding);
}

bool passed_refuse(struct exchange *x)
{
    if (x->service == NULL || x->answered_here)
        return false;
    for (struct service *service = first_service(x); service != NULL; service = next_service(x, service))
        if (may_refuse(x, service->type) && exchange_can_retry(x) && service->type->refuses(x, service))
            return true;
    return false;
}

static struct service *other_child(const struct exchange *x, const struct service *parent)
{
    const struct service_type *type = parent->type;
    struct service *child;
    for (unsigned i = 0; (child = service_child(parent, i)) != NULL && !(type->copies && i > 0); i++)
        if (!service_reaches(child, x->service) && (type->child_weight == NULL || type->child_weight(parent, i) != 0) &&
            service_is_ready(child, exchange_now(x)))
            return child;
    return NULL;
}

struct service *passed_other_ready(const struct exchange *x)
{
    struct service *found = NULL;
    for (struct service *service = first_service(x); service != NULL && found == NULL; service = next_service(x, service))
        found = other_child(x, service);
    return found;
}
