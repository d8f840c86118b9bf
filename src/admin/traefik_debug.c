/* GET /debug/vars, with api.debug: the process in numbers, in the form that Go programs show theirs in. */
#include <malloc.h>
#include <unistd.h>

#include "admin/admin.h"
#include "admin/traefik.h"
#include "base/file.h"
#include "base/time.h"

/* Bytes in memory, of /proc/self/statm: pages, the second number. */
static uint64_t resident(struct arena *arena)
{
    struct str text, word;
    uint64_t pages = 0;
    if (!file_read(arena, "/proc/self/statm", 4096, &text) || !str_split(&text, ' ', &word) ||
        !str_split(&text, ' ', &word) || !str_to_u64(word, &pages))
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void write_memory(struct admin_call *call)
{
    struct mallinfo2 heap = mallinfo2();
    json_member_object(&call->json, "memstats");
    json_member_uint(&call->json, "Sys", resident(&call->arena));
    json_member_uint(&call->json, "HeapSys", heap.arena + heap.hblkhd);
    json_member_uint(&call->json, "HeapAlloc", heap.uordblks + heap.hblkhd);
    json_member_uint(&call->json, "HeapIdle", heap.fordblks);
    json_end(&call->json);
}

static bool answer(struct admin_call *call)
{
    const struct admin *admin = admin_self;
    struct json *json = &call->json;
    const struct api_config *api = admin->graph->model->config.api;
    if (api == NULL || !api->debug)
        return admin_refuse(call, 404, "api.debug is off");
    json_open_object(json);
    /* Flags may hold secrets. */
    json_member_array(json, "cmdline");
    json_str(json, S("portico"));
    json_end(json);
    write_memory(call);
    json_member_object(json, "portico");
    json_member_uint(json, "workers", admin->worker_count);
    json_member_int(json, "uptimeSeconds", (time_wall() - admin->started_wall) / TIME_S);
    json_member_uint(json, "generation", admin->graph->generation);
    json_member_uint(json, "reloads", admin->reloads);
    json_member_uint(json, "reloadsFailed", admin->reloads_failed);
    json_member_uint(json, "routers", admin->graph->router_count);
    json_member_uint(json, "services", admin->graph->service_count);
    json_end(json);
    json_end(json);
    return true;
}

static const struct admin_route debug_vars = {
    .method = "GET", .path = "/debug/vars", .summary = "The process in numbers; with api.debug.", .answer = answer};
REGISTER(admin_route, debug_vars);
