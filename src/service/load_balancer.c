/* loadBalancer: names one of its servers for each request. It knows who may be chosen; how is the balancer's business, and
 * the connection upstream/connect.h's. */
#include "service/load_balancer.h"

#include "base/log.h"
#include "base/time.h"
#include "exchange/attempt.h"
#include "upstream/measure.h"
#include "upstream/name_watch.h"

#define HOLD_MAX 10000
#define FAIL_TIMEOUT (10 * TIME_S)

/* Without preservePath the path of a server's URL means nothing, so it is no part of the server. */
static struct server *get_server(struct service *service, const struct server_config *config, size_t index, struct compile *compile)
{
    struct str owner = config->again ? arena_printf(compile->arena, "%.*s (%zu)", STR_ARGS(service->name), index + 1) : service->name;
    if (config->preserve_path)
        return server_get(owner, config->url);
    struct server_url parts;
    if (server_url_parse(config->url, &parts) == NULL && !str_empty(parts.path))
        diag_warning(compile->diag, node_span(node_get(config->origin, S("url"))),
                     "the path of a server's URL has no effect without 'preservePath: true'");
    return server_get(owner, server_url_origin(config->url));
}

static bool has_server(const struct roster_entry *entries, unsigned count, const struct server *server)
{
    for (unsigned i = 0; i < count; i++)
        if (entries[i].target.server == server)
            return true;
    return false;
}

static const struct passive_check *passive_of(const struct server_config *item, const struct load_balancer_config *config,
                                              struct compile *compile)
{
    if (item->max_fails == 0)
        return config->passive_health_check;
    struct passive_check *check = arena_new(compile->arena, struct passive_check);
    check->max_failed_attempts = item->max_fails;
    check->keeps_count = true;
    check->failure_window = item->fail_timeout != 0 ? item->fail_timeout : FAIL_TIMEOUT;
    return check;
}

static struct target target_of(const struct server_config *item, struct server *server, const struct load_balancer_config *config,
                               struct compile *compile)
{
    return (struct target){.server = server,
                           .weight = (uint32_t)item->weight,
                           .draining = item->drain,
                           .leaving = item->leaving,
                           .down = item->down,
                           .tier = item->tier == 0 && item->backup ? 1 : (uint32_t)item->tier,
                           .max_active = (uint32_t)item->max_connections,
                           .route = item->route,
                           .passive = passive_of(item, config, compile)};
}

/* Is it known by a name whose addresses, or services, are to be servers? Where nobody watches names it stays one server. */
static bool is_watched(const struct server_config *item, const struct load_balancer_config *config)
{
    struct server_url parts;
    struct ip ip;
    bool wanted = config->resolver != NULL || item->resolver != NULL || item->service.len != 0;
    return wanted && name_watch_runs() && server_url_parse(item->url, &parts) == NULL && !parts.unix_socket && !ip_parse(parts.host, &ip);
}

static struct roster_entry watched_entry(const struct server_config *item, const struct load_balancer_config *config,
                                         struct compile *compile)
{
    struct roster_name *name = arena_new(compile->arena, struct roster_name);
    name->model = target_of(item, NULL, config, compile);
    name->url = item->preserve_path ? item->url : server_url_origin(item->url);
    name->service = item->service;
    name->rule = name_resolver_compile(item->resolver != NULL ? item->resolver : config->resolver, compile);
    return (struct roster_entry){.name = name};
}

static unsigned compile_entries(struct service *service, const struct load_balancer_config *config, struct roster_entry *entries,
                                struct compile *compile)
{
    unsigned count = 0;
    for (size_t i = 0; i < config->servers.count; i++) {
        const struct server_config *item = config->servers.items[i].value;
        if (is_watched(item, config)) {
            entries[count++] = watched_entry(item, config, compile);
            continue;
        }
        struct server *server = get_server(service, item, i, compile);
        if (server == NULL)
            continue;       /* the option's check reported it */
        if (has_server(entries, count, server)) {
            diag_warning(compile->diag, node_span(node_get(item->origin, S("url"))),
                         "the server is named twice; its second mention has no effect");
            server_unref(server);
            continue;
        }
        entries[count++] = (struct roster_entry){.target = target_of(item, server, config, compile)};
    }
    /* Containers come and go: nobody need be told that one is stopped. */
    if (count == 0 && !compile->lenient)
        diag_warning(compile->diag, node_span(config->origin), "the load balancer has no servers: it answers 503");
    return count;
}

static bool has_names(const struct roster_entry *entries, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (entries[i].name != NULL)
            return true;
    return false;
}

static void compile_roster(struct service *service, const struct load_balancer_config *config, const struct roster_entry *entries,
                           unsigned count, struct compile *compile)
{
    struct load_balancer *lb = service->state;
    struct roster_rule *rule = arena_new(compile->arena, struct roster_rule);
    *rule = (struct roster_rule){.balancer = lb->balancer,
                                 .health_check = config->health_check,
                                 .transport = service->transport,
                                 .service = service->name,
                                 .slow_start = config->slow_start,
                                 .workers = compile->workers};
    if (has_names(entries, count))
        lb->source = roster_source_new(rule, entries, count);
    else
        roster_fill(&lb->fixed, rule, entries, count, compile->arena);
}

static bool needs_tls(const struct load_balancer_config *config)
{
    bool needs = config->health_check != NULL && config->health_check->scheme == HEALTH_SCHEME_HTTPS;
    for (size_t i = 0; i < config->servers.count; i++)
        needs |= str_starts_nocase(((const struct server_config *)config->servers.items[i].value)->url, S("https:"));
    return needs;
}

/* What waits is counted through reloads. */
static void compile_await(struct service *service, const struct load_balancer_config *config, struct compile *compile)
{
    if (config->hold_timeout == 0)
        return;
    struct await_rule *rule = arena_new(compile->arena, struct await_rule);
    struct str key = arena_printf(compile->arena, "awaiting|%.*s", STR_ARGS(service->name));
    rule->timeout = config->hold_timeout;
    rule->max = config->hold_max != 0 ? (unsigned)config->hold_max : HOLD_MAX;
    rule->tally = compile_shared(compile, key, sizeof(struct await_tally), NULL, NULL);
    service->await = rule;
}

static bool compile_key(struct load_balancer *lb, const struct load_balancer_config *config, struct compile *compile)
{
    if (!lb->balancer->uses_key || str_empty(config->hash_key))
        return true;
    lb->hash_key = text_template_new(config->hash_key, compile, node_span(node_get(config->origin, S("hashKey"))));
    return lb->hash_key != NULL;
}

static void compile_forwarding(struct load_balancer *lb, const struct load_balancer_config *config, struct compile *compile)
{
    if (config->retries == NULL)
        return;
    struct forwarding *forwarding = arena_new(compile->arena, struct forwarding);
    forwarding->retries = retries_compile(config->retries, compile);
    lb->forwarding = forwarding;
}

static bool compile_service_state(struct service *service, struct compile *compile)
{
    const struct load_balancer_config *config = service->options;
    struct load_balancer *lb = service->state;
    service->pass_host_header = config->pass_host_header;
    service->transport = compile_transport(compile, config->servers_transport,
                                           node_span(node_get(config->origin, S("serversTransport"))));
    if (service->transport == NULL)
        return false;
    lb->balancer = balancer_at(config->strategy);
    lb->sticky = sticky_compile(config->sticky, service->name, compile);
    service->ignores_responses = lb->sticky == NULL;
    lb->panic = !config->no_panic;
    lb->when_none = config->bad_gateway ? STATUS_NO_LIVE_SERVER : STATUS_NO_READY_SERVER;
    compile_forwarding(lb, config, compile);
    if (!compile_key(lb, config, compile))
        return false;
    struct roster_entry *entries = arena_array(compile->arena, struct roster_entry, config->servers.count);
    unsigned count = compile_entries(service, config, entries, compile);
    compile_roster(service, config, entries, count, compile);
    if (needs_tls(config) && !compile_secure(compile, service->transport))
        return false;
    compile_await(service, config, compile);
    return true;
}

static void destroy(struct service *service)
{
    struct load_balancer *lb = service->state;
    roster_empty(&lb->fixed);
    if (lb->source != NULL)
        roster_source_end(lb->source);
    lb->source = NULL;
}

static bool admit(const struct target *target, const struct pick *pick, bool panic)
{
    return target->passive == NULL || passive_admit(target->server, target->passive, pick->now, panic);
}

/* A server whose ejection is over takes one request at a time: who comes second goes elsewhere. */
static __attribute__((noinline)) int choose_passively(const struct load_balancer *lb, void *state, struct pick *pick)
{
    uint64_t tried = pick->tried;
    int index;
    while ((index = lb->balancer->choose(state, pick)) >= 0) {
        if (index >= 64 || admit(&pick->targets->items[index], pick, false))
            return index;
        pick->tried |= UINT64_C(1) << index;
    }
    pick->tried = tried;
    return -1;
}

/* One of those that are taken out is better than none. */
static __attribute__((noinline)) int choose_in_panic(const struct load_balancer *lb, void *state, struct pick *pick)
{
    pick->panic = true;
    for (pick->tier = 0; pick->tier < pick->targets->tiers; pick->tier++) {
        int index = lb->balancer->choose(state, pick);
        if (index < 0)
            continue;
        admit(&pick->targets->items[index], pick, true);
        return index;
    }
    return -1;
}

static int choose_of_tier(const struct load_balancer *lb, const struct roster *roster, void *state, struct pick *pick)
{
    return roster->passive ? choose_passively(lb, state, pick) : lb->balancer->choose(state, pick);
}

static __attribute__((noinline)) int choose_further(const struct load_balancer *lb, const struct roster *roster, void *state,
                                                    struct pick *pick)
{
    int index = -1;
    for (pick->tier = 1; index < 0 && pick->tier < pick->targets->tiers; pick->tier++)
        index = choose_of_tier(lb, roster, state, pick);
    if (index < 0 && roster->passive && lb->panic)
        index = choose_in_panic(lb, state, pick);
    return index;
}

static inline int choose_target(const struct load_balancer *lb, const struct roster *roster, const struct worker *worker, struct pick *pick)
{
    void *state = roster->states + worker->index * roster->state_stride;
    pick->tier = 0;
    int index = choose_of_tier(lb, roster, state, pick);
    return __builtin_expect(index >= 0, 1) ? index : choose_further(lb, roster, state, pick);
}

static bool is_the_wanted(const struct target *target, bool by_id, uint64_t id, struct str route)
{
    return by_id ? target->server->id_hash == id : target->route.len != 0 && str_equal(target->route, route);
}

/* A server that stands by is stuck to only while none of those before it can be asked; of several with one name any will do. */
static __attribute__((noinline)) int sticky_target(const struct load_balancer *lb, struct exchange *x, struct pick *pick)
{
    uint64_t id;
    bool by_id = sticky_wanted(lb->sticky, exchange_request(x), &id) || sticky_session(lb->sticky, x, &id);
    struct str route = by_id ? STR_NONE : sticky_route(lb->sticky, x);
    if (!by_id && route.len == 0)
        return -1;
    for (pick->tier = 0; pick->tier < pick->targets->tiers; pick->tier++) {
        bool any_open = false;
        for (unsigned i = 0; i < pick->targets->count; i++) {
            const struct target *target = &pick->targets->items[i];
            if (target->tier != pick->tier)
                continue;
            if (is_the_wanted(target, by_id, id, route) && !target_was_tried(pick, i) && server_takes_sticky(target->server, pick->now) &&
                !target->down && target_has_room(target) && admit(target, pick, false))
                return (int)i;
            any_open |= target_is_open(pick, i);
        }
        if (any_open)
            break;
    }
    return -1;
}

/* It may stop with the request unread, and none that changes something can be sent again then: such a one waits for another server,
 * if it may wait and has not done so. */
static bool may_ask_leaving(const struct exchange *x, const struct service *service)
{
    return service->await == NULL || x->awaiting != NULL || method_is_idempotent(x->stream.request.method);
}

/* Nobody else: one that is about to stop may still take it, over a new connection. */
static __attribute__((noinline)) int choose_leaving(const struct load_balancer *lb, const struct roster *roster, struct exchange *x,
                                                    struct pick *pick)
{
    pick->leaving = true;
    pick->panic = false;
    int index = choose_target(lb, roster, x->worker, pick);
    if (index >= 0)
        x->fresh_connection = true;
    return index;
}

static struct str key_of(const struct load_balancer *lb, struct exchange *x)
{
    return lb->hash_key != NULL ? text_template_text(lb->hash_key, x)
                                : str_of((const char *)x->client_ip.bytes, sizeof(x->client_ip.bytes));
}

static bool has_asked_all(const struct exchange *x, const struct target_set *targets)
{
    unsigned in_place = 0;
    for (unsigned i = 0; i < targets->count; i++)
        in_place += !targets->items[i].down;
    return x->attempts - x->stale_attempts >= in_place && in_place != 0;
}

/* For those who wonder what was asked: where servers were passed over, the service itself stands among them. */
static enum pick_result none(struct exchange *x, const struct service *service, const struct target_set *targets)
{
    const struct load_balancer *lb = service->state;
    ptrdiff_t at = str_find_last_char(service->name, '@');
    if (lb->when_none == STATUS_NO_LIVE_SERVER && !has_asked_all(x, targets))
        attempt_note(x, at > 0 ? str_first(service->name, (size_t)at) : service->name, 502);
    if (x->attempts == 0 || x->failure == STATUS_OK)
        x->failure = lb->source != NULL && targets->count == 0 && lb->when_none == STATUS_NO_LIVE_SERVER ? STATUS_UPSTREAM_UNRESOLVED : lb->when_none;
    return PICK_NONE;
}

/* What the exchange picks from. */
static inline const struct roster *roster_for(struct exchange *x, const struct load_balancer *lb)
{
    return __builtin_expect(lb->source == NULL, 1) ? &lb->fixed : roster_to_pick_from(x, lb->source);
}

/* ... has picked from; also where it has not, for another service of the way did. */
static inline const struct roster *roster_behind(const struct exchange *x, const struct load_balancer *lb)
{
    const struct roster *kept = __builtin_expect(lb->source == NULL, 1) ? &lb->fixed : roster_of(x, lb->source);
    return kept != NULL ? kept : &lb->fixed;
}

static enum pick_result pick_server(struct exchange *x, struct service *service)
{
    struct load_balancer *lb = service->state;
    const struct roster *roster = roster_for(x, lb);
    if (roster == NULL) {
        x->failure = STATUS_OUT_OF_MEMORY;
        return PICK_NONE;
    }
    struct pick pick = {.targets = &roster->targets, .client = &x->client_ip, .tried = x->tried, .now = exchange_now(x)};
    if (lb->balancer->uses_key)
        pick.key = key_of(lb, x);
    int index = lb->sticky != NULL ? sticky_target(lb, x, &pick) : -1;
    if (index < 0)
        index = choose_target(lb, roster, x->worker, &pick);
    /* A retry after a response, not after a failure, may go where it went before. */
    bool may_return = x->forwarding == NULL || x->forwarding->retries == NULL;
    if (index < 0 && x->tried != 0 && x->failure == STATUS_OK && may_return) {
        pick.tried = 0;
        pick.panic = false;
        index = choose_target(lb, roster, x->worker, &pick);
    }
    if (index < 0 && may_ask_leaving(x, service))
        index = choose_leaving(lb, roster, x, &pick);
    if (index < 0)
        return none(x, service, &roster->targets);
    if (x->forwarding == NULL)
        x->forwarding = lb->forwarding;
    exchange_use_server(x, roster->targets.items[index].server, (unsigned)index);
    return PICK_SERVER;
}

/* Outside of any exchange, until the caller returns to its loop. */
static const struct roster *present_roster(const struct load_balancer *lb)
{
    return __builtin_expect(lb->source == NULL, 1) ? &lb->fixed : roster_now(lb->source, worker_self->index);
}

/* Such a request reports nothing, so it takes no probe. */
static struct server *choose_server(struct service *service, struct worker *worker, const struct ip *client,
                                    const struct transport **ret_transport)
{
    struct load_balancer *lb = service->state;
    const struct roster *roster = present_roster(lb);
    void *state = roster->states + worker->index * roster->state_stride;
    struct pick pick = {.targets = &roster->targets, .client = client, .now = worker->loop.now};
    int index = -1;
    for (unsigned round = 0; index < 0 && round < 3; round++) {
        pick.panic = round == 1 && roster->passive;
        pick.leaving = round == 2;
        for (pick.tier = 0; index < 0 && pick.tier < roster->targets.tiers; pick.tier++)
            index = lb->balancer->choose(state, &pick);
    }
    if (index < 0)
        return NULL;
    *ret_transport = service->transport;
    return server_ref(roster->targets.items[index].server);
}

static bool is_ready(const struct service *service, int64_t now)
{
    const struct load_balancer *lb = service->state;
    static const struct ip nobody;
    struct pick pick = {.targets = &present_roster(lb)->targets, .client = &nobody, .now = now};
    for (unsigned i = 0; i < pick.targets->count; i++) {
        pick.tier = pick.targets->items[i].tier;
        if (target_is_open(&pick, i))
            return true;
    }
    return false;
}

static void log_change(const struct service *service, const struct server *server, enum passive_change change,
                       const char *why)
{
    if (change == PASSIVE_EJECTED)
        log_warn("service '%.*s': server %.*s is taken out: %s", STR_ARGS(service->name), STR_ARGS(server->url), why);
    if (change == PASSIVE_RESTORED)
        log_info("service '%.*s': server %.*s is back", STR_ARGS(service->name), STR_ARGS(server->url));
}

static const struct target *target_of_server(const struct roster *roster, const struct server *server)
{
    for (unsigned i = 0; i < roster->targets.count; i++)
        if (roster->targets.items[i].server == server)
            return &roster->targets.items[i];
    return NULL;
}

/* What live requests tell. A lone server is never taken out: nobody else could be asked. */
static void tell_passive(struct exchange *x, struct service *service, bool failed, const char *why)
{
    const struct load_balancer *lb = service->state;
    const struct roster *roster = roster_behind(x, lb);
    const struct target *target = roster->passive ? target_of_server(roster, x->server) : NULL;
    if (target == NULL || target->passive == NULL || (failed && roster->targets.count == 1 && !lb->panic))
        return;
    int64_t now = exchange_now(x);
    if (!failed && target->passive->keeps_count && atomic_load_explicit(&x->server->ejected_until, memory_order_relaxed) == 0)
        return;
    enum passive_change change = failed ? passive_failure(x->server, target->passive, now) : passive_success(x->server, now);
    log_change(service, x->server, change, why);
}

/* Where it is said which responses send a request on, only those count as failures, and when they do (refuses). */
static __attribute__((noinline)) void judge_attempt(struct exchange *x, struct service *service, enum status outcome)
{
    const struct retries *retries = x->forwarding != NULL ? x->forwarding->retries : NULL;
    bool failed = passive_is_failure(outcome, retries != NULL ? 0 : x->response.status);
    if (outcome != STATUS_OK && failed)
        measure_failure(x->server, x->worker->index, exchange_now(x));
    if (outcome != STATUS_OK && !failed)
        return;      /* a client that went away says nothing of the server */
    if (outcome == STATUS_OK && retries != NULL && retries_blame(retries, retry_on_status(x->response.status)))
        return;
    tell_passive(x, service, failed, outcome != STATUS_OK ? status_text(outcome) : "it answered with an error");
}

static void on_attempt(struct exchange *x, struct service *service, enum status outcome)
{
    const struct load_balancer *lb = service->state;
    if (outcome == STATUS_OK) {
        int64_t now = exchange_now(x);
        measure_response(x->server, x->worker->index, (x->times.first_byte != 0 ? x->times.first_byte : now) - x->times.picked, now);
        if (!roster_behind(x, lb)->passive)
            return;
    }
    judge_attempt(x, service, outcome);
}

static bool has_another(const struct exchange *x, const struct load_balancer *lb)
{
    struct pick pick = {.targets = &roster_behind(x, lb)->targets, .client = &x->client_ip, .tried = x->tried, .now = exchange_now(x)};
    for (unsigned i = 0; i < pick.targets->count; i++) {
        pick.tier = pick.targets->items[i].tier;
        if (target_is_open(&pick, i))
            return true;
    }
    return false;
}

/* The response stands where nobody else could be asked. */
static bool refuses(struct exchange *x, struct service *service)
{
    const struct load_balancer *lb = service->state;
    unsigned reason = x->forwarding != NULL && x->forwarding->retries != NULL ? retry_on_status(x->response.status) : 0;
    if (reason == 0 || x->server == NULL || !retries_allow(x, reason) || !has_another(x, lb))
        return false;
    if (retries_blame(x->forwarding->retries, reason))
        tell_passive(x, service, true, "it answered with an error");
    return true;
}

static void on_response(struct exchange *x, struct service *service)
{
    const struct load_balancer *lb = service->state;
    if (x->server == NULL || x->answered_here)
        return;
    sticky_answer(lb->sticky, x, x->server->id_hash);
    sticky_learn(lb->sticky, x, x->server->id_hash);
}

static const struct service_type load_balancer = {
    .choice = {.name = "loadBalancer", .summary = "Spreads requests over servers.", .table = &load_balancer_table},
    .state_size = sizeof(struct load_balancer),
    .compile = compile_service_state,
    .destroy = destroy,
    .pick = pick_server,
    .is_ready = is_ready,
    .on_attempt = on_attempt,
    .on_response = on_response,
    .refuses = refuses,
    .refuses_by_forwarding = true,
    .choose = choose_server,
};
REGISTER(service_type, load_balancer);

const struct target_set *load_balancer_targets(const struct service *service)
{
    const struct load_balancer *lb = service->type == &load_balancer ? service->state : NULL;
    return lb != NULL ? &present_roster(lb)->targets : NULL;
}

bool load_balancer_needs_tls(const struct service *service)
{
    return service->type == &load_balancer && needs_tls(service->options);
}
