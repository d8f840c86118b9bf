/* GET /api/portico/history: the past of all requests, or of one entrypoint, router, service or server. */
#include "admin/call.h"
#include "admin/history.h"
#include "admin/live.h"

static bool is_known(struct str of)
{
    static const struct {
        const char *prefix;
        enum live_kind kind;
    } kinds[] = {{"entryPoint:", LIVE_ENTRYPOINT}, {"router:", LIVE_ROUTER}, {"service:", LIVE_SERVICE}, {"server:", LIVE_SERVER}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (str_starts(of, str_from(kinds[i].prefix)))
            return live_find(kinds[i].kind, str_from_index(of, strlen(kinds[i].prefix))) != NULL;
    return str_equal(of, S("total"));
}

static bool answer(struct admin_call *call)
{
    struct str of = S("total");
    int64_t seconds = admin_query_int(call, "seconds", 1, HISTORY_TENS * 10, HISTORY_SECONDS);
    admin_query(call, "of", &of);
    if (!is_known(of))
        return admin_refuse(call, 404, "there is no '%.*s': total, entryPoint:NAME, router:NAME, service:NAME or server:SERVICE|URL",
                            STR_ARGS(of));
    history_show(of, seconds, &call->json);
    return true;
}

static const struct admin_route route = {.method = "GET",
                                         .path = "/api/portico/history",
                                         .summary = "The past of all requests, or of one entrypoint, router, service or server.",
                                         .answer = answer};
REGISTER(admin_route, route);
