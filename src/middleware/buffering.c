/* Takes in whole bodies before they go on: a server is not kept busy by a slow client, and sizes are known and limited. */
#include "exchange/middleware.h"
#include "middleware/expression.h"

struct buffering {
    const struct node *origin;
    int64_t max_request_body_bytes, mem_request_body_bytes;
    int64_t max_response_body_bytes, mem_response_body_bytes;
    struct str retry_expression;
};

struct buffering_state {
    struct expression retry;      /* root NULL: none */
};

#define ATTEMPTS_MAX 10      /* whatever the expression says */

enum { ATTEMPTS, RESPONSE_CODE, IS_NETWORK_ERROR };
static const struct expression_function functions[] = {
    [ATTEMPTS] = {.name = "Attempts"},
    [RESPONSE_CODE] = {.name = "ResponseCode"},
    [IS_NETWORK_ERROR] = {.name = "IsNetworkError", .claims = true},
    {.name = NULL},
};

static const struct option buffering_options[] = {
    OPTION_NAMED(SIZE, struct buffering, max_request_body_bytes, "maxRequestBodyBytes", .fallback = "0", .min = 0,
                 .max = INT64_MAX, .help = "Larger request bodies get 413; 0: no limit."),
    OPTION_NAMED(SIZE, struct buffering, mem_request_body_bytes, "memRequestBodyBytes", .fallback = "1048576",
                 .min = 0, .max = INT64_MAX, .help = "Larger request bodies wait on disk."),
    OPTION_NAMED(SIZE, struct buffering, max_response_body_bytes, "maxResponseBodyBytes", .fallback = "0", .min = 0,
                 .max = INT64_MAX, .help = "Larger response bodies become 500; 0: no limit."),
    OPTION_NAMED(SIZE, struct buffering, mem_response_body_bytes, "memResponseBodyBytes", .fallback = "1048576",
                 .min = 0, .max = INT64_MAX, .help = "Larger response bodies wait on disk."),
    OPTION_NAMED(STR, struct buffering, retry_expression, "retryExpression",
                 .help = "Asks again while it holds: Attempts(), ResponseCode(), IsNetworkError()."),
};
static const struct option_table buffering_table =
    OPTION_TABLE(struct buffering, buffering_options, .summary = "Takes in whole bodies before they go on.");

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct buffering *options = m->options;
    struct buffering_state *state = m->state;
    struct str error;
    size_t offset;
    if (options->retry_expression.len == 0 ||
        expression_parse(options->retry_expression, functions, compile->arena, &state->retry, &error, &offset))
        return true;
    struct span span = node_span(node_get(options->origin, S("retryExpression")));
    diag_error(compile->diag, span_inside(span, offset, 1), "%.*s", STR_ARGS(error));
    return false;
}

static enum verdict verdict_of(enum exchange_hold hold)
{
    return hold == HOLD_READY ? VERDICT_NEXT : hold == HOLD_WAIT ? VERDICT_WAIT : VERDICT_ANSWER;
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct buffering *options = m->options;
    return verdict_of(exchange_hold_body(x, options->max_request_body_bytes, options->mem_request_body_bytes));
}

/* What the expression may ask for. */
struct outcome {
    unsigned attempts;
    int status;
    bool network_error;
};

static double value_of(const void *context, const struct expression_call *call)
{
    const struct outcome *outcome = context;
    if (call->function == ATTEMPTS)
        return outcome->attempts;
    return call->function == RESPONSE_CODE ? outcome->status : outcome->network_error;
}

static bool wants_retry(const struct exchange *x, const struct buffering_state *state, unsigned attempts)
{
    int code = status_http(x->failure);
    struct outcome outcome = {.attempts = attempts,
                              .status = x->response.status,
                              .network_error = x->answered_here && (code == 502 || code == 504)};
    return state->retry.root != NULL && attempts < ATTEMPTS_MAX && exchange_can_retry(x) &&
           expression_is_true(&state->retry, value_of, &outcome);
}

/* An endless stream is passed on as it comes: holding it would be the end of it. */
static bool is_live(const struct exchange *x)
{
    struct str type = fields_value(&x->response.fields, FIELD_CONTENT_TYPE);
    return str_starts_nocase(type, S("text/event-stream"));
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    const struct buffering *options = m->options;
    unsigned *attempts = own;
    if (x->response_spool == NULL && wants_retry(x, m->state, *attempts + 1)) {
        ++*attempts;
        return VERDICT_RETRY;
    }
    if (is_live(x))
        return VERDICT_NEXT;
    return verdict_of(
        exchange_hold_response(x, options->max_response_body_bytes, options->mem_response_body_bytes));
}

static const struct middleware_type buffering = {
    .choice = {.name = "buffering", .summary = "Takes in whole bodies before they go on.", .table = &buffering_table},
    .state_size = sizeof(struct buffering_state),
    .exchange_size = sizeof(unsigned),
    .compile = compile,
    .on_request = on_request,
    .on_response = on_response,
};
REGISTER(middleware_type, buffering);
