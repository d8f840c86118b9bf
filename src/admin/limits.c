/* GET /api/portico/limits: what the middlewares that count and hold have counted and hold: limiters, breakers. One row for each
 * instance: each router has its own. */
#include "admin/admin.h"
#include "admin/call.h"
#include "admin/words.h"
#include "base/map.h"
#include "exchange/middleware.h"

#define SHOWN_MAX 500

/* Chains that share an instance (of a router on several entrypoints) name it once. */
static bool was_shown(const struct router *router, unsigned at, struct map *shown, struct arena *arena)
{
    const struct middleware *m = router->chain[at];
    struct str key = arena_printf(arena, "%.*s %.*s %u", STR_ARGS(router->name), STR_ARGS(m->name), at);
    return map_put(shown, key, shown) != NULL;
}

static void show(const struct router *router, const struct middleware *m, struct json *json)
{
    json_open_object(json);
    json_member_str(json, "middleware", m->name);
    json_member_text(json, "type", m->type->choice.name);
    json_member_array(json, "usedBy");
    json_str(json, router->name);
    json_end(json);
    json_member_object(json, "state");
    m->type->report(m, json);
    json_end(json);
    json_end(json);
}

static bool answer(struct admin_call *call)
{
    const struct graph *graph = admin_self->graph;
    struct map shown;
    struct str word = STR_NONE;
    size_t count = 0;
    admin_query(call, "search", &word);
    map_init(&shown, false);
    json_open_array(&call->json);
    for (unsigned i = 0; graph != NULL && i < graph->router_count; i++) {
        const struct router *router = graph->routers[i];
        for (unsigned j = 0; j < router->chain_count && count < SHOWN_MAX; j++) {
            const struct middleware *m = router->chain[j];
            if (m->type->report == NULL || !(words_have(m->name, word) || words_have(router->name, word)) ||
                was_shown(router, j, &shown, &call->arena))
                continue;
            show(router, m, &call->json);
            count++;
        }
    }
    json_end(&call->json);
    map_release(&shown);
    return true;
}

static const struct admin_route route = {.method = "GET",
                                         .path = "/api/portico/limits",
                                         .summary = "What limiters and breakers have counted and hold.",
                                         .answer = answer};
REGISTER(admin_route, route);
