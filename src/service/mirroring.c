/* mirroring: hands on to one service and sends copies of some requests to others, whose responses are thrown away. The
 * client never waits for a copy, but for its own body to be whole when that is copied too. */
#include "exchange/outgoing.h"
#include "exchange/service.h"
#include "upstream/fetch.h"

#include "base/time.h"

#define COPY_TIMEOUT (INT64_C(30) * TIME_S)
/* Copies under way at once on a worker: a mirror that hangs must not take the memory of the rest. */
#define COPIES_MAX 256
/* A body is copied from memory; one that was spooled to disk is not. */
#define COPIED_BODY_MAX (INT64_C(16) << 20)

struct mirror_item {
    const struct node *origin;
    struct str name;
    int64_t percent;
};

struct mirroring_config {
    const struct node *origin;
    struct str service;
    struct objects mirrors;             /* struct mirror_item */
    bool mirror_body;
    int64_t max_body_size;
    struct str health_check;
};

struct mirror {
    struct service *service;
    uint64_t percent;
};

/* Requests seen and copies sent, for exact shares; one row for each worker, a cache line apart. */
struct tally {
    uint64_t requests;
    uint64_t copies[];
};

struct mirroring {
    struct service *main;
    struct mirror *mirrors;
    unsigned count;
    bool mirror_body;
    int64_t max_body;                   /* bytes */
    char *tallies;
    size_t stride;
};

static _Thread_local unsigned copies_under_way;

static const struct option mirror_options[] = {
    OPTION(STR, struct mirror_item, name, .required = true, .help = "The service that gets the copies."),
    OPTION(INT, struct mirror_item, percent, .min = 0, .max = 100, .help = "Of a hundred requests, how many are copied."),
};
static const struct option_table mirror_table =
    OPTION_TABLE(struct mirror_item, mirror_options, .summary = "A service that gets copies of requests.");

static const struct option options[] = {
    OPTION(STR, struct mirroring_config, service, .required = true, .help = "The service that answers."),
    OPTION(LIST, struct mirroring_config, mirrors, .table = &mirror_table, .help = "Where copies go."),
    OPTION_NAMED(BOOL, struct mirroring_config, mirror_body, "mirrorBody", .fallback = "true",
                 .help = "Copy bodies as well; they are then read whole before the request goes on."),
    OPTION_NAMED(SIZE, struct mirroring_config, max_body_size, "maxBodySize", .fallback = "-1", .min = -1,
                 .max = COPIED_BODY_MAX,
                 .help = "Bytes of the largest body that is copied; a request with more is not; -1: 16 MiB."),
    OPTION_NAMED(STR, struct mirroring_config, health_check, "healthCheck",
                 .accepted = "whether a service is ready is always looked at", .help = "Look at the service's health."),
};
static const struct option_table table =
    OPTION_TABLE(struct mirroring_config, options, .summary = "Copies requests to other services.");

static bool compile_mirrors(struct mirroring *mirroring, const struct objects *mirrors, struct compile *compile)
{
    bool good = true;
    mirroring->mirrors = arena_array(compile->arena, struct mirror, mirrors->count);
    for (size_t i = 0; i < mirrors->count; i++) {
        const struct mirror_item *item = mirrors->items[i].value;
        struct service *service = compile_service(compile, item->name, node_span(node_get(item->origin, S("name"))));
        good &= service != NULL;
        if (service != NULL)
            mirroring->mirrors[mirroring->count++] = (struct mirror){service, (uint64_t)item->percent};
    }
    return good;
}

static bool compile_mirroring(struct service *service, struct compile *compile)
{
    const struct mirroring_config *config = service->options;
    struct mirroring *mirroring = service->state;
    mirroring->main = compile_service(compile, config->service, node_span(node_get(config->origin, S("service"))));
    mirroring->mirror_body = config->mirror_body;
    mirroring->max_body = config->max_body_size >= 0 ? config->max_body_size : COPIED_BODY_MAX;
    bool good = compile_mirrors(mirroring, &config->mirrors, compile);
    mirroring->stride = (sizeof(struct tally) + mirroring->count * sizeof(uint64_t) + 127) / 64 * 64;
    mirroring->tallies = arena_zalloc(compile->arena, mirroring->stride * (compile->workers + 1));
    return good && mirroring->main != NULL;
}

static bool copy_body(struct fetch *fetch, struct exchange *x)
{
    struct str body = exchange_held_bytes(x);
    fetch->request.has_body = true;
    fetch->request.body_length = (int64_t)body.len;
    return chunkq_add_copy(&fetch->body, &x->worker->chunks, body);
}

static void copy_head(struct fetch *fetch, struct exchange *x, const struct service *mirror)
{
    const struct request *from = exchange_request(x);
    struct request *to = &fetch->request;
    struct arena *arena = &fetch->arena;
    *to = (struct request){.method = from->method, .version = HTTP_1_1, .scheme = S("http")};
    to->method_name = arena_str(arena, from->method_name);
    to->authority = mirror->pass_host_header ? arena_str(arena, from->authority) : fetch->server->authority;
    to->path = arena_concat(arena, fetch->server->base_path, from->path);
    to->query = from->query.data != NULL ? arena_str(arena, from->query) : STR_NONE;
    fields_init(&to->fields, arena, from->fields.count + 4);
    fields_init(&to->trailers, arena, 0);
    FIELDS_FOREACH(&from->fields, field)
        fields_add(&to->fields, arena_str(arena, field->name), arena_str(arena, field->value));
    fields_remove(&to->fields, FIELD_HOST);
    fields_remove(&to->fields, FIELD_CONTENT_LENGTH);
    fields_remove(&to->fields, FIELD_EXPECT);
    fields_remove_hop_by_hop(&to->fields, false);
}

static void on_done(struct fetch *fetch, enum status status)
{
    copies_under_way--;
}

static void send_copy(struct exchange *x, struct service *mirror, bool with_body)
{
    const struct transport *transport = NULL;
    if (copies_under_way >= COPIES_MAX)
        return;
    struct server *server = service_choose(mirror, x->worker, &x->client_ip, &transport);
    if (server == NULL)
        return;
    struct fetch *fetch = fetch_new(x->worker);
    if (fetch == NULL) {
        server_unref(server);
        return;
    }
    fetch->server = server;
    fetch->transport = transport;
    fetch->timeout = COPY_TIMEOUT;
    fetch->discard_body = true;
    fetch->on_done = on_done;
    copy_head(fetch, x, mirror);
    if (with_body && !copy_body(fetch, x)) {
        fetch_free(fetch);
        return;
    }
    copies_under_way++;
    fetch_start(fetch);
}

/* After n requests a mirror has had n * percent / 100 copies, to the request. */
static void send_copies(struct exchange *x, const struct mirroring *mirroring, bool with_body)
{
    struct tally *tally = (struct tally *)(void *)(mirroring->tallies + x->worker->index * mirroring->stride);
    tally->requests++;
    for (unsigned i = 0; i < mirroring->count; i++) {
        const struct mirror *target = &mirroring->mirrors[i];
        if (tally->copies[i] * 100 >= tally->requests * target->percent)
            continue;
        tally->copies[i]++;
        send_copy(x, target->service, with_body);
    }
}

/* The whole body lies in memory and is not larger than may be copied. */
static bool body_is_at_hand(struct exchange *x, const struct mirroring *mirroring)
{
    return x->spool != NULL && exchange_held_length(x) <= mirroring->max_body &&
           (exchange_held_length(x) == 0 || exchange_held_bytes(x).data != NULL);
}

/* READY: the copies are on their way, or there are none to send. A body of unknown length is held to find out. */
static enum exchange_hold mirror(struct exchange *x, const struct mirroring *mirroring)
{
    const struct request *request = exchange_request(x);
    bool with_body = request->has_body && mirroring->mirror_body;
    if (with_body && request->body_length <= mirroring->max_body) {
        enum exchange_hold hold = exchange_hold_body(x, 0, mirroring->max_body);
        if (hold != HOLD_READY)
            return hold;
    }
    if (with_body && !body_is_at_hand(x, mirroring))
        return HOLD_READY;
    outgoing_prepare(x);      /* the copies carry the same forwarding fields */
    send_copies(x, mirroring, with_body);
    return HOLD_READY;
}

static enum pick_result pick_service(struct exchange *x, struct service *service)
{
    const struct mirroring *mirroring = service->state;
    if (x->attempts == 0 && x->awaiting == NULL && str_empty(exchange_request(x)->upgrade)) {
        enum exchange_hold hold = mirror(x, mirroring);
        if (hold != HOLD_READY)
            return hold == HOLD_WAIT ? PICK_WAIT : PICK_ANSWER;
    }
    exchange_use_service(x, mirroring->main);
    return PICK_SERVICE;
}

static bool is_ready(const struct service *service, int64_t now)
{
    const struct mirroring *mirroring = service->state;
    return service_is_ready(mirroring->main, now);
}

static struct server *choose_server(struct service *service, struct worker *worker, const struct ip *client,
                                    const struct transport **ret_transport)
{
    const struct mirroring *mirroring = service->state;
    return service_choose(mirroring->main, worker, client, ret_transport);
}

static struct service *child(const struct service *service, unsigned index)
{
    const struct mirroring *mirroring = service->state;
    if (index == 0)
        return mirroring->main;
    return index <= mirroring->count ? mirroring->mirrors[index - 1].service : NULL;
}

static int64_t child_weight(const struct service *service, unsigned index)
{
    const struct mirroring *mirroring = service->state;
    return index == 0 ? -1 : (int64_t)mirroring->mirrors[index - 1].percent;
}

static const struct service_type mirroring_type = {
    .choice = {.name = "mirroring", .summary = "Copies requests to other services.", .table = &table},
    .state_size = sizeof(struct mirroring),
    .compile = compile_mirroring,
    .pick = pick_service,
    .is_ready = is_ready,
    .choose = choose_server,
    .child = child,
    .child_weight = child_weight,
    .copies = true,
};
REGISTER(service_type, mirroring_type);
