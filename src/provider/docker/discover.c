#include "provider/docker/discover.h"

#include "provider/docker/finding.h"
#include "provider/docker/readiness.h"

/* ---- which are looked at ---- */

static void leave_out(struct candidate *candidate, bool mistake, struct str reason, struct str hint)
{
    candidate->found->state = DISCOVERY_LEFT_OUT;
    candidate_tell(candidate, mistake, reason, hint);
}

static bool is_running_soon(const struct container *container)
{
    return container->state == CONTAINER_RUNNING || container->state == CONTAINER_PAUSED || container->state == CONTAINER_RESTARTING ||
           container->state == CONTAINER_REMOVED;
}

static bool has_http(const struct candidate *candidate)
{
    return node_first(candidate->http) != NULL || node_first(candidate->tls) != NULL;
}

bool finding_is_self(const struct finding *finding, const struct candidate *candidate)
{
    const struct str *self = &finding->discovery->inventory->self_id;
    return !str_empty(*self) && str_equal(*self, candidate->container->id);
}

static bool has_no(const struct candidate *candidate, struct str section)
{
    const struct node *node = node_get(candidate->http, section);
    return node == NULL || node->count == 0;
}

/* Without `traefik.enable`, which is not a wish to be left out. */
static void leave_out_unseen(struct candidate *candidate)
{
    bool forgotten = has_http(candidate);
    leave_out(candidate, forgotten, S("exposedByDefault is off and it has no label traefik.enable=true"),
              forgotten ? S("give it the label traefik.enable=true") : STR_NONE);
}

/* Says at the candidate why it is none. */
static bool is_wanted(struct finding *finding, struct candidate *candidate)
{
    const struct container *container = candidate->container;
    if (container->labels_beyond) {
        leave_out(candidate, true, S("it has more labels than are read (1000, and 1 MiB of text): none is"), STR_NONE);
        return false;
    }
    if (!constraints_match(&finding->constraints, container->labels, container->label_count)) {
        leave_out(candidate, false, S("the provider's constraints do not match its labels"), STR_NONE);
        return false;
    }
    candidate_read(candidate, finding->discovery, finding->arena, finding->diag);
    if (candidate->disabled) {
        leave_out(candidate, false, S("traefik.enable=false"), STR_NONE);
        return false;
    }
    if (!candidate->enabled) {
        leave_out_unseen(candidate);
        return false;
    }
    if (!candidate->labelled && !is_running_soon(container)) {
        leave_out(candidate, false, S("it does not run and has no labels"), STR_NONE);
        return false;
    }
    if (finding_is_self(finding, candidate) && has_no(candidate, S("routers")) && has_no(candidate, S("services"))) {
        leave_out(candidate, false, S("it is Portico itself, without routers in its labels"), STR_NONE);
        return false;
    }
    return true;
}

/* False: its labels ask for nothing else. */
static bool tell_protocols(struct candidate *candidate)
{
    if (!candidate->asks_tcp && !candidate->asks_udp)
        return true;
    const char *what = !candidate->asks_udp ? "TCP" : !candidate->asks_tcp ? "UDP" : "TCP and UDP";
    struct str reason = str_equal(str_from(what), S("TCP")) ? S("its labels ask for TCP routing: Portico routes HTTP alone")
                        : str_equal(str_from(what), S("UDP")) ? S("its labels ask for UDP routing: Portico routes HTTP alone")
                                                              : S("its labels ask for TCP and UDP routing: Portico routes HTTP alone");
    candidate_tell(candidate, true, reason, STR_NONE);
    if (has_http(candidate))
        return true;
    candidate->found->state = DISCOVERY_LEFT_OUT;
    return false;
}

/* ---- what they offer ---- */

static void offer_section(struct finding *finding, struct candidate *candidate, const struct node *top, struct str name,
                          enum object_kind kind)
{
    const struct node *section = node_get(top, name);
    NODE_FOREACH(section, object) {
        const struct definition *definition = merge_add(&finding->merge, kind, object, candidate);
        for (const struct own_server *it = candidate->servers; kind == OBJECT_SERVICE && it != NULL; it = it->next)
            if (it->service == object)
                merge_add_server(&finding->merge, object->key,
                                 &(struct merged_server){
                                     .candidate = candidate, .definition = definition, .config = it->config, .node = it->node});
    }
}

static void offer(struct finding *finding, struct candidate *candidate)
{
    offer_section(finding, candidate, candidate->http, S("routers"), OBJECT_ROUTER);
    offer_section(finding, candidate, candidate->http, S("middlewares"), OBJECT_MIDDLEWARE);
    offer_section(finding, candidate, candidate->http, S("services"), OBJECT_SERVICE);
    offer_section(finding, candidate, candidate->http, S("serversTransports"), OBJECT_TRANSPORT);
    offer_section(finding, candidate, candidate->tls, S("options"), OBJECT_TLS_OPTIONS);
    offer_section(finding, candidate, candidate->tls, S("stores"), OBJECT_TLS_STORE);
}

static enum standing standing_of(const struct candidate *candidate, bool well)
{
    if (!is_running_soon(candidate->container) || candidate->container->state == CONTAINER_REMOVED)
        return STANDING_AWAY;
    if (!well || (candidate->services > candidate->services_out && candidate->servers == NULL))
        return STANDING_WAITING;
    return candidate->container->stopping ? STANDING_LEAVING : STANDING_READY;
}

static void consider(struct finding *finding, struct candidate *candidate)
{
    static const enum discovery_state states[] = {[STANDING_READY] = DISCOVERY_SERVED,
                                                  [STANDING_LEAVING] = DISCOVERY_LEAVING,
                                                  [STANDING_WAITING] = DISCOVERY_NOT_READY,
                                                  [STANDING_AWAY] = DISCOVERY_NOT_READY};
    if (!is_wanted(finding, candidate) || !tell_protocols(candidate))
        return;
    /* We ourselves run, whatever our health check has found so far. */
    bool well = finding_is_self(finding, candidate) || readiness_of_container(candidate, finding->arena);
    services_read(finding, candidate, well);
    candidate->standing = standing_of(candidate, well);
    candidate->found->state = states[candidate->standing];
    if (!candidate->labelled && candidate->services_out != 0) {
        candidate->found->state = DISCOVERY_LEFT_OUT;
        return;
    }
    routers_complete(finding, candidate);
    offer(finding, candidate);
}

/* ---- the whole ---- */

static void read_options(struct finding *finding)
{
    const struct docker_config *config = finding->discovery->config;
    struct span rule = node_span(node_get(config->origin, S("defaultRule")));
    struct span constraints = node_span(node_get(config->origin, S("constraints")));
    finding->default_rule = default_rule_read(config->default_rule, rule, finding->arena, finding->diag);
    constraints_read(&finding->constraints, config->constraints, constraints, finding->arena, finding->diag);
}

static struct discovered *add_discovered(struct model *model, size_t count)
{
    struct discovered *all = arena_array(&model->arena, struct discovered, model->discovered_count + count);
    if (model->discovered_count != 0)
        memcpy(all, model->discovered, model->discovered_count * sizeof(*all));
    struct discovered *added = all + model->discovered_count;
    model->discovered = all;
    model->discovered_count += count;
    return added;
}

static void begin(struct finding *finding, size_t i, struct discovered *found)
{
    struct arena *arena = finding->arena;
    const struct container *container = &finding->discovery->inventory->containers[i];
    *found = (struct discovered){.provider = arena_str(arena, finding->discovery->provider),
                                 .id = arena_str(arena, container->id),
                                 .name = arena_str(arena, container->name),
                                 .image = arena_str(arena, container->image)};
    candidate_init(&finding->candidates[i], container, found, arena);
}

/* Nothing of what it wanted to serve is left. */
static void conclude(struct candidate *candidate)
{
    if (candidate->services != 0 && candidate->services_out >= candidate->services)
        candidate->found->state = DISCOVERY_LEFT_OUT;
}

static void give_servers(const struct finding *finding, struct discovered_servers *ret_servers)
{
    size_t count = finding->servers.count;
    *ret_servers = (struct discovered_servers){.items = arena_array(finding->arena, struct discovered_server, count), .count = count};
    if (count != 0)
        memcpy(ret_servers->items, finding->servers.items, count * sizeof(*ret_servers->items));
}

void discover(struct model *model, const struct discovery *discovery, struct diag *diag, struct discovered_servers *ret_servers)
{
    size_t count = discovery->inventory->count;
    struct finding finding = {.model = model, .arena = &model->arena, .discovery = discovery, .diag = diag};
    struct discovered *found = add_discovered(model, count);
    finding.candidates = arena_array(finding.arena, struct candidate, count);
    struct diag_guard guard;
    merge_init(&finding.merge, finding.arena);
    read_options(&finding);
    diag_guard_begin(diag, &guard, true);
    for (size_t i = 0; i < count; i++) {
        begin(&finding, i, &found[i]);
        consider(&finding, &finding.candidates[i]);
    }
    part_make(&finding);
    diag_guard_end(diag, &guard);
    for (size_t i = 0; i < count; i++)
        conclude(&finding.candidates[i]);
    if (ret_servers != NULL)
        give_servers(&finding, ret_servers);
    VEC_RELEASE(&finding.servers);
    constraints_release(&finding.constraints);
    merge_release(&finding.merge);
}
