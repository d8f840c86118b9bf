/* failover: one service, and another when that one is not ready or, with `errors`, answers with one of these statuses. */
#include "exchange/passed.h"
#include "http/status_ranges.h"

#define HELD_IN_MEMORY (INT64_C(1) << 20)

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
    struct status_ranges errors;        /* none: no `errors` */
    int64_t max_body;                   /* bytes; 0: any */
};

static const struct option errors_options[] = {
    OPTION(STRS, struct failover_errors, status, .required = true, .check = status_range_check,
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

static bool compile_failover(struct service *service, struct compile *compile)
{
    const struct failover_config *config = service->options;
    struct failover *failover = service->state;
    failover->main = compile_service(compile, config->service, node_span(node_get(config->origin, S("service"))));
    failover->fallback = compile_service(compile, config->fallback, node_span(node_get(config->origin, S("fallback"))));
    if (config->errors != NULL) {
        failover->errors = status_ranges_from(&config->errors->status, compile->arena);
        failover->max_body = config->errors->max_request_body_bytes > 0 ? config->errors->max_request_body_bytes : 0;
    }
    return failover->main != NULL && failover->fallback != NULL;
}

static struct service *ready_one(const struct failover *failover, int64_t now)
{
    return service_is_ready(failover->main, now) || !service_is_ready(failover->fallback, now) ? failover->main
                                                                                               : failover->fallback;
}

static enum pick_result pick_service(struct exchange *x, struct service *service)
{
    const struct failover *failover = service->state;
    if (failover->errors.count != 0 && exchange_request(x)->has_body) {
        enum exchange_hold hold = exchange_hold_body(x, failover->max_body, HELD_IN_MEMORY);
        if (hold != HOLD_READY)
            return hold == HOLD_WAIT ? PICK_WAIT : PICK_ANSWER;
    }
    bool failed = x->attempts != 0 && status_ranges_have(&failover->errors, x->upstream_status);
    exchange_use_service(x, failed ? failover->fallback : ready_one(failover, exchange_now(x)));
    return PICK_SERVICE;
}

/* The fallback's own errors are answers. */
static bool refuses(struct exchange *x, struct service *service)
{
    const struct failover *failover = service->state;
    return status_ranges_have(&failover->errors, x->response.status) && service_reaches(failover->main, x->service) &&
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
