/* random: by chance, in proportion to the weights. */
#include "base/rand.h"
#include "upstream/balancer.h"

static int choose(void *state, const struct pick *pick)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < pick->targets->count; i++)
        if (target_is_open(pick, i))
            total += target_weight(pick, i);
    if (total == 0)
        return -1;
    uint64_t ticket = rand_u64() % total;
    int last = -1;
    for (unsigned i = 0; i < pick->targets->count; i++) {
        if (!target_is_open(pick, i))
            continue;
        uint32_t weight = target_weight(pick, i);
        last = (int)i;
        if (ticket < weight)
            break;
        ticket -= weight;
    }
    return last;     /* another thread may have closed a target between the two passes */
}

static const struct balancer_type random_choice = {
    .name = "random",
    .summary = "By chance, by weight.",
    .choose = choose,
};
REGISTER(balancer_type, random_choice);
