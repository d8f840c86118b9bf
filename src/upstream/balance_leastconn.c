/* leastConn: the server with the fewest requests under way for its weight; equals take turns. */
#include "upstream/balancer.h"

struct load {
    uint64_t active, weight;     /* compared as a fraction, without dividing */
};

static struct load load_of(const struct pick *pick, unsigned index)
{
    const struct server *server = pick->targets->items[index].server;
    return (struct load){.active = atomic_load_explicit(&server->active, memory_order_relaxed),
                         .weight = target_weight(pick, index)};
}

static bool is_within(const struct pick *pick, unsigned index, const void *owner)
{
    const struct load *least = owner;
    struct load load = load_of(pick, index);
    return load.active * least->weight <= least->active * load.weight;
}

static int choose(void *state, const struct pick *pick)
{
    struct load least = {.active = UINT32_MAX, .weight = 1};
    bool found = false;
    for (unsigned i = 0; i < pick->targets->count; i++) {
        if (!target_is_open(pick, i))
            continue;
        struct load load = load_of(pick, i);
        if (!found || load.active * least.weight < least.active * load.weight)
            least = load;
        found = true;
    }
    int chosen = balancer_smooth(state, pick, is_within, &least);
    /* Others may have begun requests meanwhile, so that none is within any more. */
    return chosen >= 0 || !found ? chosen : balancer_smooth(state, pick, NULL, NULL);
}

static const struct balancer_type least_conn = {
    .name = "leastConn",
    .summary = "The fewest requests under way, by weight.",
    .item_size = sizeof(int64_t),
    .weighs = true,
    .choose = choose,
};
REGISTER(balancer_type, least_conn);
