/* Asks again when a server gave no answer, or one whose status is listed. What may be repeated at all is for
 * exchange_can_retry to say; this decides what is worth it, how often and how soon. */
#include "middleware/retry.h"

#include <math.h>

#include "base/rand.h"
#include "base/time.h"
#include "exchange/middleware.h"

static const struct option retry_options[] = {
    OPTION(INT, struct retry, attempts, .required = true, .min = 1, .max = 100,
           .help = "How often a request is tried, the first time included."),
    OPTION_NAMED(DURATION, struct retry, initial_interval, "initialInterval", .min = 0, .max = 3600 * TIME_S,
                 .help = "The first pause; later ones grow to twice as much. 0: none."),
    OPTION(DURATION, struct retry, timeout, .min = 0, .max = 24 * 3600 * TIME_S,
           .help = "No further try begins after this long; 0: no limit."),
    OPTION(STRS, struct retry, status, .check = status_range_check,
           .help = "Statuses and ranges of them (\"500-599\") that are tried again too."),
    OPTION_NAMED(SIZE, struct retry, max_request_body_bytes, "maxRequestBodyBytes", .fallback = "2MiB", .min = -1,
                 .max = INT64_MAX,
                 .help = "Larger request bodies are not held, and so not sent twice; -1: any size is held."),
    OPTION_NAMED(BOOL, struct retry, disable_retry_on_network_error, "disableRetryOnNetworkError",
                 .help = "Only listed statuses are tried again."),
    OPTION_NAMED(BOOL, struct retry, retry_non_idempotent_method, "retryNonIdempotentMethod",
                 .help = "POST, PATCH and LOCK are tried again as well, although a server may have acted on them."),
};

static void validate(void *value, const struct node *node, struct diag *diag)
{
    const struct retry *retry = value;
    if (retry->status.count == 0 && retry->disable_retry_on_network_error)
        diag_error(diag, node_span(node_get(node, S("disableRetryOnNetworkError"))),
                   "without network errors and without a 'status' nothing would ever be tried again");
}

static const struct option_table retry_table = OPTION_TABLE(
    struct retry, retry_options, .validate = validate, .summary = "Asks again when a server gives no answer.");

struct retry_state {
    struct status_ranges status;
    double growth;
};

#define HELD_IN_MEMORY ((int64_t)1 << 20)

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct retry *retry = m->options;
    struct retry_state *state = m->state;
    state->status = status_ranges_from(&retry->status, compile->arena);
    state->growth = retry->attempts > 1 ? pow(2, 1.0 / (double)(retry->attempts - 1)) : 1;
    return true;
}

bool retry_is_repeatable(const struct retry *retry, enum method method, struct str method_name)
{
    return retry->retry_non_idempotent_method ||
           (method != METHOD_POST && method != METHOD_PATCH && !str_equal(method_name, S("LOCK")));
}

bool retry_is_worth_it(const struct retry *retry, const struct status_ranges *status,
                       const struct retry_outcome *outcome)
{
    if (outcome->tries >= retry->attempts || (retry->timeout != 0 && outcome->elapsed >= retry->timeout))
        return false;
    if (outcome->network_error && !retry->disable_retry_on_network_error && (outcome->repeatable || !outcome->sent))
        return true;
    return outcome->repeatable && status_ranges_have(status, outcome->status);
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct retry *retry = m->options;
    const struct retry_state *state = m->state;
    struct retry_progress *progress = own;
    const struct request *request = exchange_request(x);
    if (progress->began == 0)
        progress->began = exchange_now(x);
    if (retry->attempts == 1 || (state->status.count == 0 && !retry->retry_non_idempotent_method) ||
        !retry_is_repeatable(retry, request->method, request->method_name))
        return VERDICT_NEXT;
    int64_t max = retry->max_request_body_bytes;
    if (max == 0 && request->has_body)
        return VERDICT_NEXT;
    switch (exchange_try_hold(x, max < 0 ? 0 : max, HELD_IN_MEMORY)) {
    case HOLD_WAIT:
        return VERDICT_WAIT;
    case HOLD_REFUSED:
        return VERDICT_ANSWER;
    case HOLD_READY:
    case HOLD_TOO_LARGE:
        break;
    }
    return VERDICT_NEXT;
}

static bool is_network_error(const struct exchange *x)
{
    int code = status_http(x->failure);
    return x->answered_here && x->attempts != 0 && (code == 502 || code == 504);
}

/* The pauses spread by half around their mean, lest everybody come back at once. */
static int64_t pause(const struct retry *retry, const struct retry_state *state, unsigned tries)
{
    double mean = (double)retry->initial_interval * pow(state->growth, tries - 1);
    return (int64_t)(mean * (0.5 + (double)rand_below(1001) / 1000));
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    const struct retry *retry = m->options;
    const struct retry_state *state = m->state;
    struct retry_progress *progress = own;
    const struct request *request = exchange_request(x);
    if (progress->paused) {
        progress->paused = false;
        return exchange_can_retry(x) ? VERDICT_RETRY : VERDICT_NEXT;
    }
    progress->tries++;
    struct retry_outcome outcome = {.tries = progress->tries,
                                    .elapsed = exchange_now(x) - progress->began,
                                    .status = x->response.status,
                                    .network_error = is_network_error(x),
                                    .sent = x->attempts != 0 && x->upstream.anything_sent,
                                    .repeatable =
                                        retry_is_repeatable(retry, request->method, request->method_name)};
    if (!exchange_can_retry(x) || !retry_is_worth_it(retry, &state->status, &outcome))
        return VERDICT_NEXT;
    if (retry->initial_interval == 0)
        return VERDICT_RETRY;
    progress->paused = true;
    exchange_wait(x, pause(retry, state, progress->tries));
    return VERDICT_WAIT;
}

static const struct middleware_type retry_type = {
    .choice = {.name = "retry", .summary = "Asks again when a server gives no answer.", .table = &retry_table},
    .state_size = sizeof(struct retry_state),
    .exchange_size = sizeof(struct retry_progress),
    .compile = compile,
    .on_request = on_request,
    .on_response = on_response,
};
REGISTER(middleware_type, retry_type);
