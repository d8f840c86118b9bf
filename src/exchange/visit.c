#include "exchange/visit.h"

struct visit *exchange_visit(struct exchange *x)
{
    if (x->visit == NULL)
        x->visit = arena_zalloc(&x->arena, sizeof(*x->visit));
    return x->visit;
}

enum status visit_leave(struct exchange *x)
{
    return STATUS_LOOP_DETECTED;
}
