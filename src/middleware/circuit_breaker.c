/* Spares a service that fails: while its circuit is open, requests are answered at once. One instance for each router, kept
 * across reloads. */
#include "base/log.h"
#include "base/time.h"
#include "exchange/middleware.h"
#include "middleware/breaker.h"

struct circuit_breaker {
    const struct node *origin;
    struct str expression;
    int64_t check_period, fallback_duration, recovery_duration;
    int64_t response_code;
};

struct circuit_breaker_state {
    struct breaker_rule rule;
    struct breaker *breaker;
    struct str path;           /* whose it is, for the log */
};

#define LONGEST (24 * 3600 * TIME_S)

static const struct option circuit_breaker_options[] = {
    OPTION(STR, struct circuit_breaker, expression, .required = true,
           .help = "Opens the circuit when it holds: NetworkErrorRatio(), ResponseCodeRatio(from, to, dividedByFrom, "
                   "dividedByTo), LatencyAtQuantileMS(quantile), RequestThreshold()."),
    OPTION_NAMED(DURATION, struct circuit_breaker, check_period, "checkPeriod", .fallback = "100ms", .min = TIME_MS,
                 .max = LONGEST, .help = "How often the expression is looked at."),
    OPTION_NAMED(DURATION, struct circuit_breaker, fallback_duration, "fallbackDuration", .fallback = "10s",
                 .min = TIME_MS, .max = LONGEST, .help = "How long the circuit stays open."),
    OPTION_NAMED(DURATION, struct circuit_breaker, recovery_duration, "recoveryDuration", .fallback = "10s",
                 .min = TIME_MS, .max = LONGEST, .help = "How long ever more requests pass before all do."),
    OPTION_NAMED(INT, struct circuit_breaker, response_code, "responseCode", .fallback = "503", .min = 200, .max = 599,
                 .help = "The status of answers while the circuit is open."),
};
static const struct option_table circuit_breaker_table =
    OPTION_TABLE(struct circuit_breaker, circuit_breaker_options, .summary = "Spares a service that fails.");

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct circuit_breaker *options = m->options;
    struct circuit_breaker_state *state = m->state;
    struct str error;
    size_t offset;
    state->rule = (struct breaker_rule){.check_period = options->check_period,
                                        .fallback_duration = options->fallback_duration,
                                        .recovery_duration = options->recovery_duration};
    if (!expression_parse(options->expression, breaker_functions, compile->arena, &state->rule.condition, &error,
                          &offset)) {
        struct span span = node_span(node_get(options->origin, S("expression")));
        diag_error(compile->diag, span_inside(span, offset, 1), "%.*s", STR_ARGS(error));
        return false;
    }
    state->path = arena_str(compile->arena, compile->path);
    /* What was counted for another expression means nothing for this one. */
    struct str key = arena_printf(compile->arena, "%.*s|%.*s", STR_ARGS(compile->path), STR_ARGS(options->expression));
    state->breaker = compile_shared(compile, key, sizeof(struct breaker), breaker_init, breaker_release);
    return true;
}

static void log_change(const struct circuit_breaker_state *state, enum breaker_change change)
{
    if (change == BREAKER_OPENED)
        log_warn("circuit breaker %.*s: open", STR_ARGS(state->path));
    else if (change == BREAKER_RECOVERS)
        log_info("circuit breaker %.*s: recovers", STR_ARGS(state->path));
    else if (change == BREAKER_CLOSES)
        log_info("circuit breaker %.*s: closed", STR_ARGS(state->path));
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct circuit_breaker *options = m->options;
    const struct circuit_breaker_state *state = m->state;
    int64_t *began = own;
    enum breaker_change change;
    bool pass = breaker_admit(state->breaker, &state->rule, exchange_now(x), &change);
    log_change(state, change);
    *began = exchange_now(x);
    if (pass)
        return VERDICT_NEXT;
    exchange_answer_status(x, (int)options->response_code, STATUS_CIRCUIT_OPEN);
    return VERDICT_ANSWER;
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    const struct circuit_breaker_state *state = m->state;
    const int64_t *began = own;
    int status = x->response.status;
    if (x->failure == STATUS_MAINTENANCE)
        return VERDICT_NEXT;      /* ordered, so it says nothing of how the service is */
    log_change(state, breaker_record(state->breaker, &state->rule, exchange_now(x), status,
                                     status == 502 || status == 504, exchange_now(x) - *began));
    return VERDICT_NEXT;
}

static void report(const struct middleware *m, struct json *json)
{
    static const char *const names[] = {
        [BREAKER_CLOSED] = "closed", [BREAKER_OPEN] = "open", [BREAKER_RECOVERING] = "recovering"};
    const struct circuit_breaker *options = m->options;
    const struct circuit_breaker_state *state = m->state;
    int64_t now = time_monotonic();
    struct breaker_view view = breaker_look(state->breaker, now);
    json_member_str(json, "expression", options->expression);
    json_member_text(json, "state", names[view.state]);
    json_member_int(json, "sinceSeconds", view.since != 0 ? (now - view.since) / TIME_S : 0);
    json_member_int(json, "secondsLeft", view.state != BREAKER_CLOSED && view.until > now ? (view.until - now) / TIME_S : 0);
    json_member_uint(json, "opened", view.opened);
    json_member_uint(json, "refused", view.kept_back);
    json_member_uint(json, "requestsIn10s", view.requests);
}

static const char *complain(const struct middleware *m, int64_t *ret_since)
{
    const struct circuit_breaker_state *state = m->state;
    if (atomic_load_explicit(&state->breaker->state, memory_order_relaxed) == BREAKER_CLOSED)
        return NULL;
    struct breaker_view view = breaker_look(state->breaker, time_monotonic());
    *ret_since = view.since;
    if (view.state == BREAKER_RECOVERING)
        return "the circuit recovers: a part of the requests is answered here at once";
    return "the circuit is open: requests are answered here at once, none goes to the servers";
}

static void count(const struct middleware *m, struct limit_counts *counts)
{
    const struct circuit_breaker_state *state = m->state;
    struct breaker_view view = breaker_look(state->breaker, time_monotonic());
    counts->refused = view.kept_back;
    counts->breaker = view.state;
}

static const struct middleware_type circuit_breaker = {
    .choice = {.name = "circuitBreaker", .summary = "Spares a service that fails.", .table = &circuit_breaker_table},
    .state_size = sizeof(struct circuit_breaker_state),
    .exchange_size = sizeof(int64_t),
    .compile = compile,
    .on_request = on_request,
    .on_response = on_response,
    .report = report,
    .count = count,
    .complain = complain,
};
REGISTER(middleware_type, circuit_breaker);
