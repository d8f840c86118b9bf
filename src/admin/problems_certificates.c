/* Problems: certificates that have expired or soon will, and those that cannot be got. Looked at every ten seconds: there may be
 * thousands, and they change slowly. */
#include "admin/admin.h"
#include "admin/certs_list.h"
#include "admin/problems.h"
#include "base/time.h"

#define LOOK_AGAIN (10 * TIME_S)
#define DAY INT64_C(86400)
#define SOON (14 * DAY)                   /* nobody renews it */
#define VERY_SOON (3 * DAY)               /* in spite of all tries */

static struct {
    struct arena arena;
    struct problems found;
    int64_t at;                           /* monotonic ns; 0: never */
    const struct graph *graph;            /* that it was found for; only compared */
} cache;

static void add(const struct cert_row *row, int64_t now)
{
    struct problems *problems = &cache.found;
    struct str name = row->names.count != 0 ? row->names.items[0] : row->source;
    bool expired = row->not_after != 0 && row->not_after <= now;
    bool ends_soon = row->not_after != 0 && row->not_after - now <= (row->renew_at != 0 ? VERY_SOON : SOON);
    bool root = strcmp(row->state, "root") == 0;
    if (row->problem.len == 0 && !expired && (!ends_soon || root))
        return;
    bool urgent = expired || (row->not_after == 0 && row->problem.len != 0) || (row->not_after != 0 && row->not_after - now <= VERY_SOON);
    struct problem *problem = problem_add(problems, urgent ? PROBLEM_ERROR : PROBLEM_WARNING, "certificate", "certificate", name);
    char span[CERTS_SPAN_SIZE] = "";
    if (row->not_after != 0)
        certs_span(now, row->not_after, span);
    if (row->problem.len != 0)
        problem->text = arena_printf(problems->arena, "no %scertificate for %.*s: %.*s", row->not_after != 0 ? "new " : "",
                                     STR_ARGS(name), STR_ARGS(row->problem));
    else
        problem->text = arena_printf(problems->arena, "the certificate for %.*s %s %s", STR_ARGS(name),
                                     expired ? "expired" : "expires", span);
    problem->hint = row->hint.len != 0
                        ? arena_str(problems->arena, row->hint)
                        : arena_printf(problems->arena, "It comes from %.*s: put a new one there.", STR_ARGS(row->source));
    problem->since = expired ? row->not_after : 0;
}

static void look(const struct graph *graph)
{
    const struct loop *loop = &admin_self->control->loop;
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    if (cache.at != 0)
        arena_release(&cache.arena);
    arena_init(&cache.arena, ARENA_UNLIMITED);
    cache.found = (struct problems){.arena = &cache.arena};
    cache.at = loop->now;
    cache.graph = graph;
    struct acme_entries entries = acme_list(&arena);
    struct cert_rows none = {.count = 0}, rows = certs_collect(graph, &entries, &none, loop->wall / TIME_S, &arena);
    for (size_t i = 0; i < rows.count; i++)
        add(&rows.items[i], loop->wall / TIME_S);
    arena_release(&arena);
}

static void gather(struct problems *problems)
{
    const struct graph *graph = admin_self->graph;
    if (graph == NULL)
        return;
    if (cache.at == 0 || cache.graph != graph || admin_self->control->loop.now - cache.at >= LOOK_AGAIN)
        look(graph);
    for (size_t i = 0; i < cache.found.count; i++) {
        const struct problem *found = &cache.found.items[i];
        struct problem *problem = problem_add(problems, found->severity, found->kind, found->subject_kind, found->subject);
        problem->text = arena_str(problems->arena, found->text);
        problem->hint = arena_str(problems->arena, found->hint);
        problem->since = found->since;
    }
}

static void stop(void)
{
    if (cache.at != 0)
        arena_release(&cache.arena);
    memset(&cache, 0, sizeof(cache));
}

static const struct problem_source certificates_source = {.gather = gather};
REGISTER(problem_source, certificates_source);
static const struct admin_part certificates_part = {.stop = stop};
REGISTER(admin_part, certificates_part);
