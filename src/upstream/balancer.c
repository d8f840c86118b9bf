/* What all balancers share: finding one by name, and what a target weighs now. */
#include "upstream/balancer.h"

#include <assert.h>
#include <stdlib.h>

static const struct balancer_type *balancers[BALANCERS_MAX];
struct option_name balancer_names[BALANCERS_MAX + 1];

static int by_name(const void *a, const void *b)
{
    const struct balancer_type *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

/* Before main, since option tables are read from then on. */
__attribute__((constructor)) static void list_balancers(void)
{
    size_t count = 0;
    REGISTRY_FOREACH(balancer_type, const struct balancer_type, it) {
        assert(count < BALANCERS_MAX);
        balancers[count++] = *it;
    }
    qsort(balancers, count, sizeof(balancers[0]), by_name);
    for (size_t i = 0; i < count; i++)
        balancer_names[i] = (struct option_name){balancers[i]->name, (int)i};
}

const struct balancer_type *balancer_find(struct str name)
{
    for (size_t i = 0; i < BALANCERS_MAX && balancers[i] != NULL; i++)
        if (str_equal_nocase(str_from(balancers[i]->name), name))
            return balancers[i];
    return NULL;
}

const struct balancer_type *balancer_at(int value)
{
    assert(value >= 0 && value < BALANCERS_MAX && balancers[value] != NULL);
    return balancers[value];
}

size_t balancer_state_size(const struct balancer_type *type, const struct target_set *targets)
{
    return type->state_size + type->item_size * targets->count + (type->more != NULL ? type->more(targets) : 0);
}

void balancer_init(const struct balancer_type *type, void *state, const struct target_set *targets, unsigned worker)
{
    if (type->init != NULL)
        type->init(state, targets, worker);
}

enum server_state target_state(const struct target *target)
{
    int ordered = atomic_load_explicit(&target->server->ordered, memory_order_relaxed);
    if (ordered != SERVER_AS_CONFIGURED)
        return (enum server_state)ordered;
    return target->draining ? SERVER_DRAINING : SERVER_READY;
}

bool target_is_in_use_by_order(const struct target *target, bool leaving)
{
    return target_state(target) == SERVER_READY && !target->down && target_base_weight(target) != 0 &&
           (leaving ? !server_is_gone(target->server) : !server_is_leaving(target->server));
}

uint32_t target_base_weight(const struct target *target)
{
    int ordered = atomic_load_explicit(&target->server->ordered_weight, memory_order_relaxed);
    return ordered >= 0 ? (uint32_t)ordered : target->weight;
}

/* Behind target_is_open, another thread may have ordered it to weigh nothing: those who divide by it get the least. */
uint32_t target_weight(const struct pick *pick, unsigned index)
{
    const struct target *target = &pick->targets->items[index];
    uint32_t whole = target->weight * 256;
    if (server_is_ordered(target->server)) {
        whole = target_base_weight(target) * 256;
        whole = whole != 0 ? whole : 1;
    }
    int64_t slow_start = pick->targets->slow_start;
    if (slow_start == 0)
        return whole;
    int64_t since = atomic_load_explicit(&target->server->ready_since, memory_order_relaxed);
    int64_t age = pick->now - since;
    if (since == 0 || age >= slow_start)
        return whole;
    uint32_t grown = age > 0 ? (uint32_t)((double)whole * (double)age / (double)slow_start) : 0;
    uint32_t tenth = whole / 10 != 0 ? whole / 10 : 1;
    return grown > tenth ? grown : tenth;
}

/* Each round every target gains its weight in credit; the richest is chosen and pays what all gained. Over a round of all
 * weights each is chosen as often as it weighs, spread as evenly as can be. */
int balancer_smooth(int64_t *credits, const struct pick *pick,
                    bool (*wanted)(const struct pick *pick, unsigned index, const void *owner), const void *owner)
{
    int chosen = -1;
    int64_t total = 0;
    for (unsigned i = 0; i < pick->targets->count; i++) {
        if (!target_is_open(pick, i) || (wanted != NULL && !wanted(pick, i, owner)))
            continue;
        uint32_t weight = target_weight(pick, i);
        credits[i] += weight;
        total += weight;
        if (chosen < 0 || credits[i] > credits[chosen])
            chosen = (int)i;
    }
    if (chosen >= 0)
        credits[chosen] -= total;
    return chosen;
}

uint64_t balancer_total(const struct pick *pick)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < pick->targets->count; i++)
        if (pick->targets->items[i].tier == pick->tier)
            total += target_base_weight(&pick->targets->items[i]);
    return total;
}

int balancer_ticket(const struct pick *pick, uint64_t ticket)
{
    int last = -1;
    for (unsigned i = 0; i < pick->targets->count; i++) {
        const struct target *target = &pick->targets->items[i];
        uint32_t weight = target->tier == pick->tier ? target_base_weight(target) : 0;
        if (weight == 0)
            continue;
        last = (int)i;
        if (ticket < weight)
            break;
        ticket -= weight;
    }
    return last;
}
