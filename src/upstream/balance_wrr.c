/* wrr: smooth weighted round robin. Weights 5, 1, 1 give a a b a c a a, not a burst of five. */
#include "base/rand.h"
#include "upstream/balancer.h"

/* Workers begin at different places, or the first server would get the first request of each. The first one begins at the beginning,
 * so that a process with a single worker asks the servers in their order. */
static void init(void *state, const struct target_set *targets, unsigned worker)
{
    static const struct ip nobody;
    int64_t *credits = state;
    if (targets->count < 2 || worker == 0)
        return;
    struct pick pick = {.targets = targets, .client = &nobody};
    for (uint32_t i = rand_below(targets->count); i > 0; i--)
        balancer_smooth(credits, &pick, NULL, NULL);
}

static int choose(void *state, const struct pick *pick)
{
    if (pick->targets->count == 1)
        return target_is_open(pick, 0) ? 0 : -1;
    return balancer_smooth(state, pick, NULL, NULL);
}

static const struct balancer_type wrr = {
    .name = "wrr",
    .summary = "In turn, by weight.",
    .item_size = sizeof(int64_t),
    .init = init,
    .choose = choose,
};
REGISTER(balancer_type, wrr);
