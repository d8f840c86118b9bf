/* p2c: of two servers drawn by chance, the one with less to do for its weight. Nearly as even as the least loaded of all,
 * and workers do not all run to the same server at once. */
#include "base/rand.h"
#include "upstream/balancer.h"

static bool is_less_busy(const struct pick *pick, unsigned a, unsigned b)
{
    const struct target *items = pick->targets->items;
    uint64_t load_a = atomic_load_explicit(&items[a].server->active, memory_order_relaxed) + UINT64_C(1);
    uint64_t load_b = atomic_load_explicit(&items[b].server->active, memory_order_relaxed) + UINT64_C(1);
    return load_a * target_weight(pick, b) < load_b * target_weight(pick, a);
}

/* The n-th open target, or the last one if meanwhile there are fewer. */
static int open_target(const struct pick *pick, uint32_t nth)
{
    int last = -1;
    for (unsigned i = 0; i < pick->targets->count; i++) {
        if (!target_is_open(pick, i))
            continue;
        last = (int)i;
        if (nth-- == 0)
            break;
    }
    return last;
}

static int choose(void *state, const struct pick *pick)
{
    uint32_t open = 0;
    for (unsigned i = 0; i < pick->targets->count; i++)
        open += target_is_open(pick, i);
    if (open < 2)
        return open_target(pick, 0);
    uint32_t first = rand_below(open), second = rand_below(open - 1);
    if (second >= first)
        second++;
    int a = open_target(pick, first), b = open_target(pick, second);
    return a < 0 || b < 0 || is_less_busy(pick, (unsigned)a, (unsigned)b) ? a : b;
}

static const struct balancer_type p2c = {
    .name = "p2c",
    .summary = "The less busy of two drawn by chance.",
    .weighs = true,
    .choose = choose,
};
REGISTER(balancer_type, p2c);
