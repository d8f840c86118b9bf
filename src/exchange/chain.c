#include "exchange/chain.h"

#include "exchange/graph.h"
#include "exchange/tracing.h"

bool chain_begin(struct exchange *x)
{
    x->chain_at = x->chain_entered = 0;
    if (x->router->chain_memory == 0)
        return true;
    x->chain_memory = arena_zalloc(&x->arena, x->router->chain_memory);
    return x->chain_memory != NULL;
}

static void *own_memory(const struct exchange *x, const struct middleware *m)
{
    return m->type->exchange_size != 0 ? x->chain_memory + m->own_offset : NULL;
}

/* A request of our own serves one that guards have let in, or is a guard's own question: it is not asked again. */
static inline bool is_spared(const struct exchange *x, const struct middleware *m)
{
    return __builtin_expect(x->subrequest != NULL, 0) && m->type->guards;
}

enum verdict chain_run_request(struct exchange *x)
{
    const struct router *router = x->router;
    while (x->chain_at < router->chain_count) {
        struct middleware *m = router->chain[x->chain_at];
        if (x->chain_entered <= x->chain_at)
            x->chain_entered = x->chain_at + 1;
        enum verdict verdict =
            m->type->on_request != NULL && !is_spared(x, m) ? m->type->on_request(x, m, own_memory(x, m)) : VERDICT_NEXT;
        tracing_held(x);
        if (verdict != VERDICT_NEXT)
            return verdict;
        x->chain_at++;
    }
    return VERDICT_NEXT;
}

void chain_run_refused(struct exchange *x)
{
    const struct router *router = x->router;
    while (x->chain_at < router->chain_count) {
        struct middleware *m = router->chain[x->chain_at];
        if (m->type->on_request != NULL && !m->type->harmless)
            return;
        x->chain_entered = x->chain_at + 1;
        if (m->type->on_request != NULL && m->type->on_request(x, m, own_memory(x, m)) != VERDICT_NEXT)
            return;
        x->chain_at++;
    }
}

/* chain_at counts the middlewares that the response has still to pass. */
enum verdict chain_run_response(struct exchange *x)
{
    while (x->chain_at > 0) {
        struct middleware *m = x->router->chain[x->chain_at - 1];
        enum verdict verdict =
            m->type->on_response != NULL ? m->type->on_response(x, m, own_memory(x, m)) : VERDICT_NEXT;
        if (verdict == VERDICT_WAIT || verdict == VERDICT_RETRY || verdict == VERDICT_DETOUR ||
            verdict == VERDICT_REROUTE)
            return verdict;
        x->chain_at--;
    }
    return VERDICT_NEXT;
}

void chain_finish(struct exchange *x)
{
    for (unsigned i = 0; i < x->chain_entered; i++) {
        struct middleware *m = x->router->chain[i];
        if (m->type->on_finish != NULL)
            m->type->on_finish(x, m, own_memory(x, m));
    }
}
