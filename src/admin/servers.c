/* GET /api/portico/servers: each server, what it is told to do, what it does, and why. */
#include "admin/admin.h"
#include "admin/call.h"
#include "admin/live.h"
#include "admin/words.h"
#include "exchange/service.h"
#include "upstream/measure.h"

static void show_addresses(struct server *server, struct arena *arena, struct json *json)
{
    struct addr addresses[SERVER_ADDRESSES_MAX];
    unsigned count = server_addresses(server, addresses);
    json_member_array(json, "addresses");
    for (unsigned i = 0; i < count; i++)
        json_str(json, addr_format(&addresses[i], arena));
    json_end(json);
}

static void show_orders(const struct target *target, struct json *json)
{
    const struct server *server = target->server;
    int weight = atomic_load(&server->ordered_weight);
    json_member_text(json, "configuredState", target->leaving ? "leaving" : target->draining ? "draining" : "ready");
    json_member_text(json, "orderedState", server_state_name(atomic_load(&server->ordered)));
    json_member_uint(json, "weight", target->weight);
    if (weight >= 0)
        json_member_int(json, "orderedWeight", weight);
    else
        json_member_text(json, "orderedWeight", NULL);
}

static void show_measures(const struct server *server, struct json *json)
{
    struct meter_sum sum = {.count = 0};
    int64_t ewma = measure_shown(server);
    int status = atomic_load(&server->check_status);
    if (server->meter != NULL)
        meter_sum(server->meter, &sum);
    json_member_uint(json, "active", server_active(server));
    json_member_uint(json, "requests", sum.count);
    json_member_uint(json, "errors", sum.errors);
    words_member_ms(json, "p50", meter_quantile(sum.buckets, 0.5));
    words_member_ms(json, "p95", meter_quantile(sum.buckets, 0.95));
    if (status != 0)
        json_member_int(json, "checkStatus", status);
    else
        json_member_text(json, "checkStatus", NULL);
    if (ewma != 0)
        words_member_ms(json, "responseMs", ewma);
    else
        json_member_text(json, "responseMs", NULL);
}

static void show(const struct live_thing *thing, struct admin_call *call)
{
    const struct target *target = thing->standing->target;
    struct json *json = &call->json;
    enum server_word word = server_word_of(target, admin_self->control->loop.now);
    json_open_object(json);
    json_member_str(json, "service", thing->service->name);
    json_member_str(json, "url", target->server->url);
    json_member_text(json, "state", server_word_name(word));
    words_member_str(json, "why", server_why(target, word, thing->standing->last_failure, admin_self->control->loop.now, &call->arena));
    words_member_time(json, "since", thing->standing->word_since);
    show_orders(target, json);
    show_measures(target->server, json);
    show_addresses(target->server, &call->arena, json);
    json_member_text(json, "lastFailure", thing->standing->last_failure != STATUS_OK ? status_text(thing->standing->last_failure) : NULL);
    words_member_time(json, "lastFailureAt", thing->standing->failed_at);
    json_end(json);
}

static bool answer(struct admin_call *call)
{
    const struct live_things *servers = live_all(LIVE_SERVER);
    struct str word = STR_NONE;
    admin_query(call, "search", &word);
    json_open_array(&call->json);
    for (size_t i = 0; i < servers->count; i++)
        if (words_have(servers->items[i].name, word))
            show(&servers->items[i], call);
    json_end(&call->json);
    return true;
}

static const struct admin_route route = {.method = "GET",
                                         .path = "/api/portico/servers",
                                         .summary = "Each server, what it is told to do, what it does, and why.",
                                         .answer = answer};
REGISTER(admin_route, route);
