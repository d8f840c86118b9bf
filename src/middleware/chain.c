/* Several middlewares under one name. A chain is flattened when a snapshot is compiled, so
 * requests never meet it. */
#include "exchange/middleware.h"

struct chain {
    const struct node *origin;
    struct strs middlewares;
};

static const struct option chain_options[] = {
    OPTION(STRS, struct chain, middlewares, .required = true,
           .help = "Names of middlewares, in the order of requests."),
};
static const struct option_table chain_table =
    OPTION_TABLE(struct chain, chain_options, .summary = "Several middlewares under one name.");

static const struct strs *members(const void *options)
{
    const struct chain *chain = options;
    return &chain->middlewares;
}

static const struct middleware_type chain = {
    .choice = {.name = "chain",
               .summary = "Several middlewares under one name.",
               .table = &chain_table},
    .members = members,
};
REGISTER(middleware_type, chain);
