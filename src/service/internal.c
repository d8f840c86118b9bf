/* Services that are always there. ping: all is well, or the end is near. noop: for routers whose middlewares answer; who gets
 * through to it is a teapot's guest. They have no options, so no configuration can make one. */
#include "exchange/service.h"
#include "service/stopping.h"

_Atomic int stopping_status;

static enum pick_result answer_ping(struct exchange *x, struct service *service)
{
    int stopping = stopping_now();
    if (stopping != 0)
        exchange_answer_status(x, stopping, STATUS_STOPPING);
    else
        exchange_answer(x, 200, STATUS_OK, S("text/plain; charset=utf-8"), S("OK"));
    return PICK_ANSWER;
}

static enum pick_result answer_noop(struct exchange *x, struct service *service)
{
    exchange_answer(x, 418, STATUS_OK, STR_NONE, STR_NONE);
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
