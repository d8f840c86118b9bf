/* Lets whoever failed to say who he is wait for the answer, so that guessing passwords takes longer. */
#include "exchange/middleware.h"

struct auth_delay {
    const struct node *origin;
    int64_t delay;
};

#define DELAY_MAX (INT64_C(3600) * 1000000000)

static const struct option auth_delay_options[] = {
    OPTION(DURATION, struct auth_delay, delay, .required = true, .min = 0, .max = DELAY_MAX,
           .help = "How long a 401 of the middlewares behind is held back."),
};
static const struct option_table auth_delay_table =
    OPTION_TABLE(struct auth_delay, auth_delay_options, .summary = "Holds 401s of the middlewares behind back for a while.");

/* A server's own 401 is none of its business. */
static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    const struct auth_delay *options = m->options;
    bool *waited = own;
    if (*waited || x->admitted || x->response.status != 401 || options->delay == 0)
        return VERDICT_NEXT;
    *waited = true;
    exchange_wait(x, options->delay);
    return VERDICT_WAIT;
}

static const struct middleware_type auth_delay = {
    .choice = {.name = "authDelay",
               .summary = "Holds 401s of the middlewares behind back for a while.",
               .table = &auth_delay_table},
    .exchange_size = sizeof(bool),
    .on_response = on_response,
};
REGISTER(middleware_type, auth_delay);
