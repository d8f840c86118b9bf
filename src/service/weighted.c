/* weighted: hands on to other services in proportion to their weights (canaries, blue and green), past those that are not
 * ready. */
#include "exchange/passed.h"
#include "service/sticky.h"
#include "upstream/server.h"

struct weighted_item {
    const struct node *origin;
    struct str name;
    int64_t weight;
};

struct weighted_config {
    const struct node *origin;
    struct objects services;             /* struct weighted_item */
    struct sticky_config *sticky;
    struct str health_check;
};

struct branch {
    struct service *service;
    int64_t weight;
    uint64_t id;                         /* of its name, for the cookie */
};

struct weighted {
    struct branch *branches;
    unsigned count;
    int64_t *credits;                    /* count for each worker, rows a cache line apart */
    size_t stride;                       /* in numbers */
    const struct sticky *sticky;
};

static const struct option item_options[] = {
    OPTION(STR, struct weighted_item, name, .required = true, .help = "The service."),
    OPTION(INT, struct weighted_item, weight, .fallback = "1", .min = 0, .max = 1000000000,
           .help = "Its share of the requests, beside those of the others; 0: none."),
};
static const struct option_table item_table =
    OPTION_TABLE(struct weighted_item, item_options, .summary = "One service and its share.");

static const struct option options[] = {
    OPTION(LIST, struct weighted_config, services, .required = true, .table = &item_table, .help = "The services."),
    OPTION(OBJECT, struct weighted_config, sticky, .table = &sticky_table,
           .help = "A client keeps the service that it had first."),
    OPTION_NAMED(STR, struct weighted_config, health_check, "healthCheck",
                 .accepted = "whether a service is ready is always looked at", .help = "Look at the services' health."),
};
static const struct option_table table =
    OPTION_TABLE(struct weighted_config, options, .summary = "Hands on to other services by weight.");

static bool compile_weighted(struct service *service, struct compile *compile)
{
    const struct weighted_config *config = service->options;
    struct weighted *weighted = service->state;
    bool good = true;
    weighted->branches = arena_array(compile->arena, struct branch, config->services.count);
    for (size_t i = 0; i < config->services.count; i++) {
        const struct weighted_item *item = config->services.items[i].value;
        struct service *child = compile_service(compile, item->name, node_span(node_get(item->origin, S("name"))));
        good &= child != NULL;
        if (child != NULL)
            weighted->branches[weighted->count++] = (struct branch){
                .service = child, .weight = item->weight, .id = server_stable_hash(child->name)};
    }
    weighted->sticky = sticky_compile(config->sticky, service->name, compile);
    service->ignores_responses = weighted->sticky == NULL;
    weighted->stride = (weighted->count + 7) / 8 * 8 + 8;
    weighted->credits = arena_array(compile->arena, int64_t, weighted->stride * (compile->workers + 1));
    return good;
}

/* Smooth weighted round robin over the ready ones (upstream/balancer.h says how it goes). */
static struct branch *choose_branch(struct weighted *weighted, const struct worker *worker)
{
    int64_t *credits = weighted->credits + worker->index * weighted->stride;
    int64_t total = 0;
    struct branch *chosen = NULL;
    for (unsigned i = 0; i < weighted->count; i++) {
        struct branch *branch = &weighted->branches[i];
        if (branch->weight == 0 || !service_is_ready(branch->service, worker->loop.now))
            continue;
        credits[i] += branch->weight;
        total += branch->weight;
        if (chosen == NULL || credits[i] > credits[chosen - weighted->branches])
            chosen = branch;
    }
    if (chosen != NULL)
        credits[chosen - weighted->branches] -= total;
    return chosen;
}

/* Nobody ready: a branch may still know a way out (an ejected server, an answer of its own). */
static struct branch *first_with_weight(struct weighted *weighted)
{
    for (unsigned i = 0; i < weighted->count; i++)
        if (weighted->branches[i].weight != 0)
            return &weighted->branches[i];
    return NULL;
}

/* The branch that the client had before, unless this very request was tried there in vain. */
static struct branch *sticky_branch(struct weighted *weighted, struct exchange *x)
{
    uint64_t id;
    if (weighted->sticky == NULL || x->attempts != 0 || !sticky_wanted(weighted->sticky, exchange_request(x), &id))
        return NULL;
    for (unsigned i = 0; i < weighted->count; i++)
        if (weighted->branches[i].id == id && service_is_ready(weighted->branches[i].service, exchange_now(x)))
            return &weighted->branches[i];
    return NULL;
}

static enum pick_result pick_branch(struct exchange *x, struct service *service)
{
    struct weighted *weighted = service->state;
    struct branch *branch = sticky_branch(weighted, x);
    if (branch == NULL)
        branch = choose_branch(weighted, x->worker);
    if (branch == NULL)
        branch = first_with_weight(weighted);
    if (branch == NULL)
        return PICK_NONE;
    exchange_use_service(x, branch->service);
    return PICK_SERVICE;
}

static bool is_ready(const struct service *service, int64_t now)
{
    const struct weighted *weighted = service->state;
    for (unsigned i = 0; i < weighted->count; i++)
        if (weighted->branches[i].weight != 0 && service_is_ready(weighted->branches[i].service, now))
            return true;
    return false;
}

/* The branch is the one that the answering service was reached by. */
static void on_response(struct exchange *x, struct service *service)
{
    const struct weighted *weighted = service->state;
    if (x->service == NULL || x->answered_here)
        return;
    for (unsigned i = 0; i < weighted->count; i++) {
        if (service_reaches(weighted->branches[i].service, x->service)) {
            sticky_answer(weighted->sticky, x, weighted->branches[i].id);
            return;
        }
    }
}

static struct server *choose_server(struct service *service, struct worker *worker, const struct ip *client,
                                    const struct transport **ret_transport)
{
    struct branch *branch = choose_branch(service->state, worker);
    return branch != NULL ? service_choose(branch->service, worker, client, ret_transport) : NULL;
}

static struct service *child(const struct service *service, unsigned index)
{
    const struct weighted *weighted = service->state;
    return index < weighted->count ? weighted->branches[index].service : NULL;
}

static int64_t child_weight(const struct service *service, unsigned index)
{
    const struct weighted *weighted = service->state;
    return weighted->branches[index].weight;
}

static const struct service_type weighted_type = {
    .choice = {.name = "weighted", .summary = "Hands on to other services by weight.", .table = &table},
    .state_size = sizeof(struct weighted),
    .compile = compile_weighted,
    .pick = pick_branch,
    .is_ready = is_ready,
    .on_response = on_response,
    .choose = choose_server,
    .child = child,
    .child_weight = child_weight,
};
REGISTER(service_type, weighted_type);
