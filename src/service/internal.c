/* ping: well, or about to end. noop: for routers whose middlewares answer; who gets through to it is a teapot's guest. */
#include "service/internal.h"

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

static const struct service_type internal_types[] = {
    {.choice = {.name = "ping", .summary = "Says that the process is well."}, .pick = answer_ping},
    {.choice = {.name = "noop", .summary = "Is not meant to be reached."}, .pick = answer_noop},
};

const struct service_type *internal_service_type(struct str name)
{
    for (size_t i = 0; i < sizeof(internal_types) / sizeof(internal_types[0]); i++)
        if (str_equal_nocase(str_from(internal_types[i].choice.name), name))
            return &internal_types[i];
    return NULL;
}
