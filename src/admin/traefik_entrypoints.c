/* GET /api/entrypoints[/{name}] */
#include <stdlib.h>

#include "admin/admin.h"
#include "admin/traefik.h"
#include "config/view.h"

static struct str name_of(const void *thing)
{
    return ((const struct entry *)thing)->name;
}

static void write_entry(const void *thing, struct json *json)
{
    const struct entry *entry = thing;
    json_open_object(json);
    view_members(&entrypoint_table, entry->config, VIEW_FILLED, json);
    json_member_str(json, "name", entry->name);
    json_end(json);
}

static int by_name(const void *a, const void *b)
{
    return str_compare(name_of(*(const void *const *)a), name_of(*(const void *const *)b));
}

static const struct traefik_kind entry_points = {.name = name_of, .write = write_entry};

static bool list_entries(struct admin_call *call)
{
    const struct graph *graph = admin_self->graph;
    const void **things = arena_alloc(&call->arena, (graph->entry_count + 1) * sizeof(*things));
    for (unsigned i = 0; i < graph->entry_count; i++)
        things[i] = graph->entries[i];
    if (graph->entry_count != 0)
        qsort(things, graph->entry_count, sizeof(*things), by_name);
    return traefik_list(call, &entry_points, things, graph->entry_count);
}

static bool show_entry(struct admin_call *call)
{
    const struct graph *graph = admin_self->graph;
    for (unsigned i = 0; i < graph->entry_count; i++)
        if (str_equal(graph->entries[i]->name, call->parameters[0])) {
            write_entry(graph->entries[i], &call->json);
            return true;
        }
    return admin_refuse(call, 404, "entry point not found: %.*s", STR_ARGS(call->parameters[0]));
}

static const struct admin_route list = {
    .method = "GET", .path = "/api/entrypoints", .summary = "The entrypoints (Traefik's form); page, per_page.", .answer = list_entries};
REGISTER(admin_route, list);
static const struct admin_route one = {
    .method = "GET", .path = "/api/entrypoints/{name}", .summary = "One entrypoint (Traefik's form).", .answer = show_entry};
REGISTER(admin_route, one);
