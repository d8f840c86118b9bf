/* What limits with zones have said of a request, in nginx's words. */
#include "exchange/variable.h"

static struct str words_for(unsigned status)
{
    static const struct str texts[] = {[LIMIT_UNASKED] = {NULL, 0},
                                       [LIMIT_PASSED] = STR("PASSED"),
                                       [LIMIT_DELAYED] = STR("DELAYED"),
                                       [LIMIT_REJECTED] = STR("REJECTED"),
                                       [LIMIT_DELAYED_DRY_RUN] = STR("DELAYED_DRY_RUN"),
                                       [LIMIT_REJECTED_DRY_RUN] = STR("REJECTED_DRY_RUN")};
    return texts[status];
}

static struct str rate_status(struct exchange *x, struct str argument)
{
    return words_for(x->rate_status);
}

static struct str connections_status(struct exchange *x, struct str argument)
{
    return words_for(x->connections_status);
}

static const struct variable_type limit_req_status = {.name = "limit_req_status",
                                                      .alias = "limit.rate",
                                                      .help = "What rateLimit's zones have done: PASSED, DELAYED, REJECTED, "
                                                              "DELAYED_DRY_RUN or REJECTED_DRY_RUN.",
                                                      .is_volatile = true,
                                                      .get = rate_status};
REGISTER(variable_type, limit_req_status);

static const struct variable_type limit_conn_status = {.name = "limit_conn_status",
                                                       .alias = "limit.inFlight",
                                                       .help = "What inFlightReq's zones have done: PASSED, REJECTED or "
                                                               "REJECTED_DRY_RUN.",
                                                       .is_volatile = true,
                                                       .get = connections_status};
REGISTER(variable_type, limit_conn_status);
