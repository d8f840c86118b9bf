/* hrw: rendezvous hashing on the client's address. A client keeps its server while that is ready; when one leaves, only its
 * clients move, in proportion to the weights of the others. Every instance of Portico chooses alike. */
#include <math.h>

#include "base/swar.h"
#include "upstream/balancer.h"

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

/* Weighted rendezvous: -weight / ln(u) with u evenly spread over (0, 1) by client and server. The weight is the whole
 * one: under slow start clients would wander twice. */
static double score_of(const struct target *target, uint64_t client)
{
    double u = ((double)(mix(client ^ target->server->id_hash) >> 11) + 0.5) * 0x1p-53;
    return -(double)target_base_weight(target) / log(u);
}

static int choose(void *state, const struct pick *pick)
{
    uint64_t client = mix(swar_load64((const char *)pick->client->bytes)) ^ swar_load64((const char *)pick->client->bytes + 8);
    client = mix(client);
    int chosen = -1;
    double best = 0;
    for (unsigned i = 0; i < pick->targets->count; i++) {
        if (!target_is_open(pick, i))
            continue;
        double score = score_of(&pick->targets->items[i], client);
        if (chosen < 0 || score > best) {
            chosen = (int)i;
            best = score;
        }
    }
    return chosen;
}

static const struct balancer_type hrw = {
    .name = "hrw",
    .summary = "The same server for the same client address, by weight.",
    .choose = choose,
};
REGISTER(balancer_type, hrw);
