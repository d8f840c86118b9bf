/* Problems: middlewares that keep requests from their services because something is amiss behind them. */
#include "admin/admin.h"
#include "admin/live.h"
#include "admin/problems.h"
#include "base/time.h"
#include "exchange/middleware.h"

static void add(struct problems *problems, const struct router *router, const struct middleware *m, const char *complaint, int64_t since)
{
    const struct loop *loop = &admin_self->control->loop;
    struct problem *problem = problem_add(problems, PROBLEM_ERROR, "limit", "middleware", m->name);
    problem->text = arena_printf(problems->arena, "%.*s on router %.*s: %s", STR_ARGS(m->name), STR_ARGS(router->name), complaint);
    problem->hint = S("It ends by itself when the servers do better: look at their failures.");
    if (since != 0)
        problem->since = (loop->wall - (loop->now - since)) / TIME_S;
}

static void gather(struct problems *problems)
{
    const struct graph *graph = admin_self->graph;
    for (unsigned i = 0; graph != NULL && i < graph->router_count; i++) {
        const struct router *router = graph->routers[i];
        for (unsigned j = 0; j < router->chain_count; j++) {
            const struct middleware *m = router->chain[j];
            int64_t since = 0;
            const char *complaint = m->type->complain != NULL ? m->type->complain(m, &since) : NULL;
            if (complaint != NULL)
                add(problems, router, m, complaint, since);
        }
    }
}

static const struct problem_source limits_source = {.gather = gather};
REGISTER(problem_source, limits_source);
