/* Addresses that may come in and that may not, in one list in order: the first rule that fits decides, and whom none fits may pass. */
#include "exchange/error_log.h"
#include "exchange/middleware.h"

struct access_rule {
    const struct node *origin;
    struct str allow, deny;
};
struct access {
    const struct node *origin;
    struct objects rules;
    bool log_refusals;
};

enum range { RANGE_ALL, RANGE_UNIX, RANGE_NETWORK };
struct compiled_rule {
    struct network network;
    enum range range;
    bool allows;
};
struct access_state {
    struct compiled_rule *rules;
    size_t count;
};

static const char *check_range(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    struct network network;
    if (str_equal(text, S("all")) || str_equal(text, S("unix:")) || network_parse(text, &network))
        return NULL;
    return "is no address or network, nor 'all' or 'unix:'";
}

static void validate_rule(void *value, const struct node *node, struct diag *diag)
{
    const struct access_rule *rule = value;
    if ((rule->allow.len != 0) == (rule->deny.len != 0))
        diag_error(diag, node_span(node), "a rule has one of 'allow' and 'deny'");
}

static const struct option rule_options[] = {
    OPTION(STR, struct access_rule, allow, .check = check_range,
           .help = "An address or a network (CIDR) that may pass; 'all'; 'unix:' for clients on a Unix socket."),
    OPTION(STR, struct access_rule, deny, .check = check_range, .help = "The same, but it may not."),
};
static const struct option_table rule_table =
    OPTION_TABLE(struct access_rule, rule_options, .validate = validate_rule, .summary = "Who may pass, or may not.");
static const struct option access_options[] = {
    OPTION(LIST, struct access, rules, .required = true, .table = &rule_table,
           .help = "Rules in order: the first that fits the client's address decides; whom none fits may pass."),
    OPTION_NAMED(BOOL, struct access, log_refusals, "logRefusals", .fallback = "true",
                 .help = "Tell the router's error logs who was refused."),
};
static const struct option_table access_table =
    OPTION_TABLE(struct access, access_options, .summary = "Lets addresses pass or not, by rules in order.");

static struct compiled_rule compile_rule(const struct access_rule *rule)
{
    struct compiled_rule compiled = {.allows = rule->allow.len != 0};
    struct str text = compiled.allows ? rule->allow : rule->deny;
    if (str_equal(text, S("all")))
        compiled.range = RANGE_ALL;
    else if (str_equal(text, S("unix:")))
        compiled.range = RANGE_UNIX;
    else if (network_parse(text, &compiled.network))
        compiled.range = RANGE_NETWORK;
    return compiled;
}

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct access *options = m->options;
    struct access_state *state = m->state;
    state->rules = arena_array(compile->arena, struct compiled_rule, options->rules.count);
    for (size_t i = 0; i < options->rules.count; i++)
        state->rules[state->count++] = compile_rule(options->rules.items[i].value);
    return true;
}

static bool fits(const struct compiled_rule *rule, const struct exchange *x, bool is_unix)
{
    switch (rule->range) {
    case RANGE_ALL:
        return true;
    case RANGE_UNIX:
        return is_unix;
    case RANGE_NETWORK:
        break;
    }
    return !is_unix && network_has(&rule->network, &x->client_ip);
}

/* NULL: none fits. A client on a Unix socket has an address where a trusted peer's field has said so (realIp). */
static const struct compiled_rule *find_rule(const struct access_state *state, const struct exchange *x)
{
    bool is_unix = x->stream.client->unix_socket && !x->client_replaced;
    for (size_t i = 0; i < state->count; i++)
        if (fits(&state->rules[i], x, is_unix))
            return &state->rules[i];
    return NULL;
}

static bool abstains(struct exchange *x, const struct middleware *m)
{
    return find_rule(m->state, x) == NULL;
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct access *options = m->options;
    const struct compiled_rule *rule = find_rule(m->state, x);
    if (rule == NULL || rule->allows)
        return VERDICT_NEXT;
    if (options->log_refusals)
        error_log_add(x, SYSLOG_ERROR, "access forbidden by rule");
    exchange_answer_status(x, status_http(STATUS_IP_DENIED), STATUS_IP_DENIED);
    return VERDICT_ANSWER;
}

static const struct middleware_type access_type = {
    .choice = {.name = "access", .summary = "Lets addresses pass or not, by rules in order.", .table = &access_table},
    .state_size = sizeof(struct access_state),
    .compile = compile,
    .pure = true,
    .guards = true,
    .abstains = abstains,
    .on_request = on_request,
};
REGISTER(middleware_type, access_type);
