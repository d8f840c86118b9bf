/* GET /api/portico/certificates: what `portico certs --json` prints, of the running process. */
#include "acme/manager.h"
#include "admin/admin.h"
#include "admin/call.h"
#include "admin/certs_list.h"
#include "base/time.h"

static bool answer(struct admin_call *call)
{
    const struct graph *graph = admin_self->graph;
    int64_t now = admin_self->control->loop.wall / TIME_S;
    if (graph == NULL)
        return admin_refuse(call, 503, "no configuration runs yet");
    struct acme_entries entries = acme_list(&call->arena);
    struct cert_rows roots = certs_find_roots(graph->model, &call->arena);
    struct cert_rows rows = certs_collect(graph, &entries, &roots, now, &call->arena);
    certs_show_json(&rows, now, &call->out);
    return true;
}

static const struct admin_route route = {.method = "GET",
                                         .path = "/api/portico/certificates",
                                         .summary = "All certificates, and what stands in the way of those that are asked for.",
                                         .answer = answer};
REGISTER(admin_route, route);
