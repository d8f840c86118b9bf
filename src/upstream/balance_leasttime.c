/* leasttime: the server that is expected to answer first: its time to the first byte, times the requests that it would then
 * have, by its weight. Equals take turns. */
#include "upstream/balancer.h"
#include "upstream/measure.h"

struct best {
    double score;
    int64_t unknown;     /* the time that stands for a server without a measure */
};

/* A server that nothing is known of counts as quick as the quickest: it is tried at once, and its load speaks from then on. */
static int64_t quickest(const struct pick *pick)
{
    int64_t least = 0;
    for (unsigned i = 0; i < pick->targets->count; i++) {
        int64_t expected = measure_expected(pick->targets->items[i].server, pick->now);
        if (expected != 0 && (least == 0 || expected < least))
            least = expected;
    }
    return least != 0 ? least : 1;
}

static double score_of(const struct pick *pick, unsigned index, int64_t unknown)
{
    const struct server *server = pick->targets->items[index].server;
    int64_t expected = measure_expected(server, pick->now);
    uint32_t active = atomic_load_explicit(&server->active, memory_order_relaxed);
    return (double)(expected != 0 ? expected : unknown) * (1.0 + active) / target_weight(pick, index);
}

static bool is_within(const struct pick *pick, unsigned index, const void *owner)
{
    const struct best *best = owner;
    return score_of(pick, index, best->unknown) <= best->score;
}

static int choose(void *state, const struct pick *pick)
{
    struct best best = {.unknown = quickest(pick)};
    bool found = false;
    for (unsigned i = 0; i < pick->targets->count; i++) {
        if (!target_is_open(pick, i))
            continue;
        double score = score_of(pick, i, best.unknown);
        if (!found || score < best.score)
            best.score = score;
        found = true;
    }
    int chosen = balancer_smooth(state, pick, is_within, &best);
    /* The measures may have moved meanwhile, so that none is within any more. */
    return chosen >= 0 || !found ? chosen : balancer_smooth(state, pick, NULL, NULL);
}

static const struct balancer_type least_time = {
    .name = "leasttime",
    .summary = "The quickest to answer for its load, by weight.",
    .item_size = sizeof(int64_t),
    .weighs = true,
    .choose = choose,
};
REGISTER(balancer_type, least_time);
