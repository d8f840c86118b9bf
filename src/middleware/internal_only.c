/* internalOnly: a location for redirects inside alone; whoever asks for it from outside gets 404. */
#include "exchange/middleware.h"
#include "exchange/visit.h"

struct internal_only {
    const struct node *origin;
};

static const struct option_table table =
    OPTION_TABLE_PLAIN(struct internal_only, NULL, 0, .summary = "Lets only redirects inside a site pass; others get 404.");

static enum verdict check_internal(struct exchange *x, struct middleware *m, void *own)
{
    if (x->visit != NULL && x->visit->internal)
        return VERDICT_NEXT;
    exchange_answer_status(x, 404, STATUS_NO_ROUTE);
    return VERDICT_ANSWER;
}

static const struct middleware_type internal_only = {
    .choice = {.name = "internalOnly", .summary = "Lets only redirects inside a site pass; others get 404.", .table = &table},
    .pure = true,
    .on_request = check_internal,
};
REGISTER(middleware_type, internal_only);
