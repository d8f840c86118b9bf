/* failover: one service, and another when that one is not ready or, with `errors`, answers with one of these statuses. */
#include "exchange/passed.h"

#define HELD_IN_MEMORY (INT64_C(1) << 20)

struct status_range {
    int low, high;
};

struct failover_errors {
    const struct node *origin;
    struct strs status;
    int64_t max_request_body_bytes;
};

struct failover_config {
    const struct node *origin;
    struct str service, fallback;
    struct str health_check;
    struct failover_errors *errors;
};

struct failover {
    struct service *main, *fallback;
    struct status_range *ranges;
    size_t range_count;                 /* 0: no `errors` */
    int64_t max_body;                   /* bytes; 0: any */
};

static bool parse_range(struct str text, struct status_range *ret_range)
{
    uint64_t low, high;
    ptrdiff_t dash = str_find_char(text, '-', 0);
    struct str first = dash < 0 ? text : str_first(text, (size_t)dash);
    struct str last = dash < 0 ? text : str_from_index(text, (size_t)dash + 1);
    if (!str_to_u64(str_trim(first), &low) || !str_to_u64(str_trim(last), &high))
        return false;
    *ret_range = (struct status_range){(int)low, (int)high};
    return low >= 100 && low <= high && high <= 599;
}

static const char *check_range(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    struct status_range ignored;
    return parse_range(text, &ignored) ? NULL : "is not a status or a range of them, such as 500-504";
}

static const struct option errors_options[] = {
    OPTION(STRS, struct failover_errors, status, .required = true, .check = check_range,
           .help = "Statuses of the first service that send the request to the fallback: 503, 500-504."),
    OPTION_NAMED(SIZE, struct failover_errors, max_request_body_bytes, "maxRequestBodyBytes", .fallback = "-1", .min = -1,
                 .max = INT64_MAX, .help = "Bytes of a body that is held so that it can be sent again; -1: any."),
};
static const struct option_table errors_table = OPTION_TABLE(struct failover_errors, errors_options,
                                                             .summary = "Answers that count as a failure.");

static const struct option options[] = {
    OPTION(STR, struct failover_config, service, .required = true, .help = "The service that is asked first."),
    OPTION(STR, struct failover_config, fallback, .required = true, .help = "The one that takes its place."),
    OPTION_NAMED(STR, struct failover_config, health_check, "healthCheck",
                 .accepted = "whether a service is ready is always looked at", .help = "Look at the services' health."),
    OPTION(OBJECT, struct failover_config, errors, .table = &errors_table,
           .help = "Which answers of the first service count as a failure."),
};
static const struct option_table table =
    OPTION_TABLE(struct failover_config, options, .summary = "Another service when the first is not ready.");

static void compile_errors(struct failover *failover, const struct failover_errors *errors, struct arena *arena)
{
    failover->ranges = arena_array(arena, struct status_range, errors->status.count);
    for (size_t i = 0; i < errors->status.count; i++)
        if (parse_range(errors->status.items[i], &failover->ranges[failover->range_count]))
            failover->range_count++;
    failover->max_body = errors->max_request_body_bytes > 0 ? errors->max_request_body_bytes : 0;
}

static bool compile_failover(struct service *service, struct compile *compile)
{
    const struct failover_config *config = service->options;
    struct failover *failover = service->state;
    failover->main = compile_service(compile, config->service, node_span(node_get(config->origin, S("service"))));
    failover->fallback = compile_service(compile, config->fallback, node_span(node_get(config->origin, S("fallback"))));
    if (config->errors != NULL)
        compile_errors(failover, config->errors, compile->arena);
    return failover->main != NULL && failover->fallback != NULL;
}

static bool is_error(const struct failover *failover, int status)
{
    for (size_t i = 0; i < failover->range_count; i++)
        if (status >= failover->ranges[i].low && status <= failover->ranges[i].high)
            return true;
    return false;
}

static struct service *ready_one(const struct failover *failover, int64_t now)
{
    return service_is_ready(failover->main, now) || !service_is_ready(failover->fallback, now) ? failover->main
                                                                                               : failover->fallback;
}

static enum pick_result pick_service(struct exchange *x, struct service *service)
{
    const struct failover *failover = service->state;
    if (failover->range_count != 0 && exchange_request(x)->has_body) {
        enum exchange_hold hold = exchange_hold_body(x, failover->max_body, HELD_IN_MEMORY);
        if (hold != HOLD_READY)
            return hold == HOLD_WAIT ? PICK_WAIT : PICK_ANSWER;
    }
    bool failed = x->attempts != 0 && is_error(failover, x->upstream_status);
    exchange_use_service(x, failed ? failover->fallback : ready_one(failover, exchange_now(x)));
    return PICK_SERVICE;
}

/* The fallback's own errors are answers. */
static bool refuses(struct exchange *x, struct service *service)
{
    const struct failover *failover = service->state;
    return is_error(failover, x->response.status) && service_reaches(failover->main, x->service) &&
           service_is_ready(failover->fallback, exchange_now(x));
}

static bool is_ready(const struct service *service, int64_t now)
{
    const struct failover *failover = service->state;
    return service_is_ready(failover->main, now) || service_is_ready(failover->fallback, now);
}

static struct server *choose_server(struct service *service, struct worker *worker, const struct ip *client,
                                    const struct transport **ret_transport)
{
    return service_choose(ready_one(service->state, worker->loop.now), worker, client, ret_transport);
}

static struct service *child(const struct service *service, unsigned index)
{
    const struct failover *failover = service->state;
    return index == 0 ? failover->main : index == 1 ? failover->fallback : NULL;
}

static const struct service_type failover_type = {
    .choice = {.name = "failover", .summary = "Another service when the first is not ready.", .table = &table},
    .state_size = sizeof(struct failover),
    .compile = compile_failover,
    .pick = pick_service,
    .is_ready = is_ready,
    .refuses = refuses,
    .choose = choose_server,
    .child = child,
};
REGISTER(service_type, failover_type);
