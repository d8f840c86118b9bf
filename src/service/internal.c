/* Services that are always there. ping: all is well, or the end is near; /ping/live and /ping/ready answer Kubernetes' two
 * questions each for itself. noop: for routers whose middlewares answer; who gets
 * through to it is a teapot's guest. left-out: for requests whose router was left out. They have no options, so no configuration can make one. */
#include "exchange/graph.h"
#include "exchange/service.h"
#include "service/stopping.h"

_Atomic int stopping_status;

static void answer_well(struct exchange *x)
{
    exchange_answer(x, 200, STATUS_OK, S("text/plain; charset=utf-8"), S("OK"));
}

/* Who answers has a configuration that runs; what remains is the end. */
static void answer_ready(struct exchange *x)
{
    if (stopping_now() == 0)
        answer_well(x);
    else
        exchange_answer(x, 503, STATUS_STOPPING, S("text/plain; charset=utf-8"), str_from(status_text(STATUS_STOPPING)));
}

static enum pick_result answer_ping(struct exchange *x, struct service *service)
{
    struct str path = exchange_request(x)->path;
    int stopping = stopping_now();
    if (str_ends(path, S("/ping/ready")))
        answer_ready(x);
    else if (stopping == 0 || str_ends(path, S("/ping/live")))
        answer_well(x);
    else
        exchange_answer_status(x, stopping, STATUS_STOPPING);
    return PICK_ANSWER;
}

static enum pick_result answer_noop(struct exchange *x, struct service *service)
{
    exchange_answer(x, 418, STATUS_OK, STR_NONE, STR_NONE);
    return PICK_ANSWER;
}

static enum pick_result answer_left_out(struct exchange *x, struct service *service)
{
    const struct left_out *left_out = x->router->extras->left_out;
    if (left_out != NULL)
        x->reason_detail = arena_printf(&x->arena, "%.*s", STR_ARGS(left_out->reason)).data;
    exchange_answer_status(x, status_http(STATUS_ROUTER_LEFT_OUT), STATUS_ROUTER_LEFT_OUT);
    return PICK_ANSWER;
}

static const struct service_type ping = {
    .choice = {.name = "ping@internal", .summary = "Says that the process is well."},
    .pick = answer_ping,
};
REGISTER(service_type, ping);

static const struct service_type noop = {
    .choice = {.name = "noop@internal", .summary = "Is not meant to be reached."},
    .pick = answer_noop,
};
REGISTER(service_type, noop);

static const struct service_type left_out = {
    .choice = {.name = "left-out@internal", .summary = "Answers for routers that were left out because of a mistake."},
    .pick = answer_left_out,
};
REGISTER(service_type, left_out);

/* Behind a site's entrance: now a location is looked for. */
static enum pick_result go_to_location(struct exchange *x, struct service *service)
{
    return PICK_REROUTE;
}

static const struct service_type locations = {
    .choice = {.name = "locations@internal", .summary = "Looks for the location of a site that takes the request."},
    .pick = go_to_location,
};
REGISTER(service_type, locations);
