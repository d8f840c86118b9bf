/* Resolvers that leave the configuration, or begin anew in it: who is to serve the names of their certificates goes on with
 * these, be they in storage or not, so that no client meets another certificate because of a new configuration. */
#include "acme/managed.h"

void resolver_leave(struct resolver *resolver)
{
    LIST_FOREACH(&resolver->managed, it)
        order_cancel(container_of(it, struct managed, link));
    if (resolver->storage != NULL && !resolver->broken && storage_is_unsaved(resolver->storage))
        resolver_save(resolver);
    list_remove(&resolver->link);
    list_append(&manager.leaving, &resolver->link);
}

/* Whoever has the resolver's name has all that it had; another one what it is asked for itself. NULL: nobody. */
static struct resolver *heir_of(const struct managed *managed)
{
    struct resolver *namesake = manage_resolver(managed->resolver->name);
    if (namesake != NULL)
        return namesake->config != NULL ? namesake : NULL;
    LIST_FOREACH(&manager.resolvers, it) {
        struct resolver *resolver = container_of(it, struct resolver, link);
        const struct managed *own = resolver->config != NULL ? resolver_find(resolver, &managed->names) : NULL;
        if (own != NULL && own->wanted)
            return resolver;
    }
    return NULL;
}

static void hand_over(const struct managed *managed, struct resolver *heir)
{
    const struct managed *own = resolver_find(heir, &managed->names);
    const struct state_certificate *stored = state_certificate_of(storage_state(managed->resolver->storage), &managed->names);
    struct state *state = storage_state(heir->storage);
    if (stored == NULL || (own != NULL && own->certificate != NULL))
        return;
    struct state_certificate *unusable = state_certificate_of(state, &managed->names);
    if (unusable != NULL)
        state_certificate_drop(state, unusable);
    struct state_certificate *copy = state_certificate_new(state);
    copy->names = names_copy(&stored->names, &copy->arena);
    copy->chain = arena_str(&copy->arena, stored->chain);
    copy->key = arena_str(&copy->arena, stored->key);
    copy->store = arena_str(&copy->arena, stored->store);
    copy->authority = arena_str(&copy->arena, stored->authority);
    copy->unwanted_since = stored->unwanted_since;
    copy->on_demand = stored->on_demand;
    copy->unsaved = true;
    resolver_take_up(heir, copy);
}

void handover_finish(void)
{
    LIST_FOREACH(&manager.leaving, it) {
        struct resolver *resolver = container_of(it, struct resolver, link);
        LIST_FOREACH(&resolver->managed, at) {
            const struct managed *managed = container_of(at, struct managed, link);
            struct resolver *heir = managed->certificate != NULL && resolver->config != NULL ? heir_of(managed) : NULL;
            if (heir != NULL)
                hand_over(managed, heir);
        }
        resolver_free(resolver);
    }
}
