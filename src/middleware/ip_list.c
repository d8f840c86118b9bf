/* ipAllowList and ipDenyList: the same options, opposite answers. A client whose address cannot be
 * told is refused by both: a list that cannot decide protects nothing. */
#include "middleware/ip_strategy.h"

struct ip_list {
    const struct node *origin;
    struct strs source_range;
    struct ip_strategy *ip_strategy;
    int64_t reject_status_code;
};

struct ip_list_state {
    struct networks networks;
    struct ip_rule rule;
    int status;
};

static void validate(void *value, const struct node *node, struct diag *diag)
{
    const struct ip_list *list = value;
    if (http_reason((int)list->reject_status_code).len == 0)
        diag_error(diag, node_span(node_get(node, S("rejectStatusCode"))),
                   "'%lld' is not an HTTP status code", (long long)list->reject_status_code);
}

static const struct option ip_list_options[] = {
    OPTION_NAMED(STRS, struct ip_list, source_range, "sourceRange", .required = true,
                 .check = network_check, .help = "Addresses and networks (CIDR)."),
    OPTION_NAMED(OBJECT, struct ip_list, ip_strategy, "ipStrategy", .table = &ip_strategy_table,
                 .help = "Which address counts as the client's; absent: the peer's."),
    OPTION_NAMED(INT, struct ip_list, reject_status_code, "rejectStatusCode", .fallback = "403",
                 .min = 400, .max = 599, .help = "The status that refused clients get."),
};
static const struct option_table allow_table =
    OPTION_TABLE(struct ip_list, ip_list_options, .validate = validate,
                 .summary = "Lets only these addresses pass.");
static const struct option_table deny_table = OPTION_TABLE(
    struct ip_list, ip_list_options, .validate = validate, .summary = "Refuses these addresses.");

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct ip_list *options = m->options;
    struct ip_list_state *state = m->state;
    if (options->source_range.count == 0) {
        diag_error(compile->diag, node_span(node_get(options->origin, S("sourceRange"))),
                   "sourceRange is empty");
        return false;
    }
    state->networks = networks_from(&options->source_range, compile->arena);
    state->rule = ip_rule_from(options->ip_strategy, compile->arena);
    state->status = (int)options->reject_status_code;
    return true;
}

static enum verdict decide(struct exchange *x, struct middleware *m, bool passes_when_listed)
{
    const struct ip_list_state *state = m->state;
    struct ip ip;
    if (ip_rule_find(&state->rule, x, &ip) &&
        networks_have(&state->networks, &ip) == passes_when_listed)
        return VERDICT_NEXT;
    exchange_answer_status(x, state->status, STATUS_IP_DENIED);
    return VERDICT_ANSWER;
}

static enum verdict allow_on_request(struct exchange *x, struct middleware *m, void *own)
{
    return decide(x, m, true);
}

static enum verdict deny_on_request(struct exchange *x, struct middleware *m, void *own)
{
    return decide(x, m, false);
}

static const struct middleware_type ip_allow_list = {
    .choice = {.name = "ipAllowList",
               .alias = "ipWhiteList",
               .summary = "Lets only these addresses pass.",
               .table = &allow_table},
    .state_size = sizeof(struct ip_list_state),
    .compile = compile,
    .pure = true,
    .guards = true,
    .on_request = allow_on_request,
};
REGISTER(middleware_type, ip_allow_list);

static const struct middleware_type ip_deny_list = {
    .choice = {.name = "ipDenyList", .summary = "Refuses these addresses.", .table = &deny_table},
    .state_size = sizeof(struct ip_list_state),
    .compile = compile,
    .pure = true,
    .on_request = deny_on_request,
};
REGISTER(middleware_type, ip_deny_list);
