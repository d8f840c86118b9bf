#include "middleware/nested.h"

bool nested_compile(struct nested *nested, const struct strs *names, const char *key, const struct node *origin,
                    struct compile *compile)
{
    const struct node *list = node_get(origin, str_from(key));
    if (names->count == 0)
        return true;
    nested->items = compile_middlewares(compile, names, list, &nested->count, &nested->memory);
    if (nested->items == NULL)
        return false;
    if (nested->count <= NESTED_MAX)
        return true;
    diag_error(compile->diag, node_span(list), "there may be %d middlewares in '%s', with those of chains", NESTED_MAX, key);
    return false;
}

bool nested_begin(struct nested_run *run, const struct nested *nested, struct exchange *x)
{
    run->memory = arena_zalloc(&x->arena, nested->memory);
    if (run->memory == NULL)
        return false;
    run->nested = nested;
    return true;
}

static void *own_of(const struct nested_run *run, const struct middleware *m)
{
    return m->type->exchange_size != 0 ? run->memory + m->own_offset : NULL;
}

/* As in a chain (exchange/chain.c): a request of our own is not asked by guards. */
static bool is_spared(const struct exchange *x, const struct middleware *m)
{
    return x->subrequest != NULL && m->type->guards;
}

enum verdict nested_ask(struct nested_run *run, struct exchange *x)
{
    struct middleware *m = run->nested->items[run->at];
    uint32_t bit = UINT32_C(1) << run->at;
    run->entered |= bit;
    enum verdict verdict = VERDICT_NEXT;
    if (m->type->on_request != NULL && !is_spared(x, m))
        verdict = m->type->on_request(x, m, own_of(run, m));
    if (verdict == VERDICT_NEXT) {
        run->passed |= bit;
        run->at++;
    }
    return verdict;
}

enum verdict nested_on_response(struct nested_run *run, struct exchange *x)
{
    while (run->passed != 0) {
        unsigned last = 31 - (unsigned)__builtin_clz(run->passed);
        struct middleware *m = run->nested->items[last];
        enum verdict verdict =
            m->type->on_response != NULL ? m->type->on_response(x, m, own_of(run, m)) : VERDICT_NEXT;
        if (verdict != VERDICT_NEXT && verdict != VERDICT_ANSWER)
            return verdict;
        run->passed &= ~(UINT32_C(1) << last);
    }
    return VERDICT_NEXT;
}

void nested_finish(struct nested_run *run, struct exchange *x)
{
    for (unsigned i = 0; run->entered >> i != 0 && i < NESTED_MAX; i++) {
        struct middleware *m = run->nested->items[i];
        if ((run->entered >> i & 1) != 0 && m->type->on_finish != NULL)
            m->type->on_finish(x, m, own_of(run, m));
    }
}
