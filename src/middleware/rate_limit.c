/* Limits how often each source may ask: token buckets in memory, shared by the workers and kept
 * across reloads. A request that is a little early waits; one that is too early gets 429 and the
 * time after which to come back. */
#include "base/copy.h"
#include "base/digits.h"
#include "base/list.h"
#include "base/time.h"
#include "middleware/answer.h"
#include "middleware/rate_zones.h"
#include "middleware/source_criterion.h"
#include "middleware/token_buckets.h"

struct rate_limit {
    const struct node *origin;
    int64_t average, period, burst;
    struct source_criterion *source_criterion;
    struct objects zones;
    struct zone_policy policy;
};

struct rate_limit_state {
    struct rate_zones zones; /* if it has any, they are all that counts */
    struct token_buckets *buckets; /* NULL: no limit */
    struct token_rate rate;
    struct source_rule source;
};

/* Of an exchange that waits, or has waited, for its token. */
struct rate_wait {
    struct exchange *exchange; /* NULL: it did not */
    struct timer timer;
    bool over;
    struct rate_zones_own zones;
};

#define YEAR (365 * 24 * 3600 * TIME_S)

static const struct option rate_limit_options[] = {
    OPTION(INT, struct rate_limit, average, .min = 0, .max = 1000000000,
           .help = "Requests that a source may make in a period on average; 0: no limit."),
    OPTION(DURATION, struct rate_limit, period, .fallback = "1s", .min = 0, .max = YEAR,
           .help = "The period that the average is for."),
    OPTION(INT, struct rate_limit, burst, .fallback = "1", .min = 0, .max = 1000000000,
           .help = "Requests that may come at once."),
    OPTION_NAMED(OBJECT, struct rate_limit, source_criterion, "sourceCriterion",
                 .table = &source_criterion_table,
                 .help = "By what sources are told apart; absent: by address."),
    OPTION(LIST, struct rate_limit, zones, .table = &rate_zone_table,
           .help = "Leaky buckets with names instead, in which requests over the rate may wait."),
    ZONE_POLICY_OPTIONS(struct rate_limit),
};

static void validate(void *value, const struct node *node, struct diag *diag)
{
    const struct rate_limit *options = value;
    if (options->zones.count != 0 && (options->average != 0 || options->source_criterion != NULL))
        diag_error(diag, node_span(node_get(node, S("zones"))),
                   "'zones' have rates and keys of their own: 'average' and 'sourceCriterion' do not go with them");
}

static const struct option_table rate_limit_table =
    OPTION_TABLE(struct rate_limit, rate_limit_options, .validate = validate,
                 .summary = "Limits how often each source may ask.");

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct rate_limit *options = m->options;
    struct rate_limit_state *state = m->state;
    if (options->zones.count != 0)
        return rate_zones_compile(&state->zones, &options->zones, &options->policy, compile);
    if (options->average == 0)
        return true;
    state->source = source_from(options->source_criterion, SOURCE_ADDRESS, compile->arena);
    state->rate = token_rate_of(options->average, options->period != 0 ? options->period : TIME_S,
                                options->burst != 0 ? options->burst : 1);
    state->buckets = compile_shared(compile, compile->path, sizeof(struct token_buckets),
                                    token_buckets_init, token_buckets_destroy);
    return true;
}

static void note_refusal(struct exchange *x, const struct rate_limit_state *state, uint64_t key)
{
    char text[SOURCE_TEXT_SIZE];
    if (!refused_sources_count(&state->buckets->refused, key, exchange_now(x)))
        refused_sources_note(&state->buckets->refused, key, source_text(&state->source, x, text), exchange_now(x));
}

#define RETRY_AFTER "Retry-After: "
#define RETRY_IN "X-Retry-In: "
#define RETRY_LINES_MAX (sizeof(RETRY_AFTER "\r\n" RETRY_IN "\r\n") + DIGITS_MAX + TIME_DURATION_SIZE)

/* When to come back: in seconds for programs, exactly for people. One stretch, as it goes out. */
static bool add_retry_fields(struct exchange *x, int64_t wait)
{
    char *after = arena_alloc(&x->arena, RETRY_LINES_MAX);
    if (after == NULL)
        return false;
    char *after_end = digits_put(COPY_LITERAL(after, RETRY_AFTER), (uint64_t)((wait + TIME_S - 1) / TIME_S));
    char *in = COPY_LITERAL(after_end, "\r\n"), *value = COPY_LITERAL(in, RETRY_IN);
    size_t len = time_format_duration(wait, value, TIME_DURATION_SIZE);
    memcpy(value + len, "\r\n", 2);
    struct field ready[] = {
        FIELD_READY(FIELD_RETRY_AFTER, after, sizeof(RETRY_AFTER) - 3, (size_t)(after_end - after) - (sizeof(RETRY_AFTER) - 1)),
        FIELD_READY(FIELD_OTHER, in, sizeof(RETRY_IN) - 3, len),
    };
    return fields_add_ready(&x->response.fields, ready, 2);
}

static enum verdict refuse(struct exchange *x, const struct rate_limit_state *state, uint64_t key, int64_t wait)
{
    note_refusal(x, state, key);
    exchange_answer_status(x, status_http(STATUS_RATE_LIMITED), STATUS_RATE_LIMITED);
    return add_retry_fields(x, wait) ? VERDICT_ANSWER : answer_out_of_memory(x);
}

static void wait_is_over(struct timer *timer)
{
    struct rate_wait *wait = container_of(timer, struct rate_wait, timer);
    wait->over = true;
    exchange_resume(wait->exchange);
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct rate_limit_state *state = m->state;
    struct rate_wait *wait = own;
    if (state->zones.count != 0)
        return rate_zones_on_request(&state->zones, x, &wait->zones);
    if (state->buckets == NULL || wait->over)
        return VERDICT_NEXT;
    if (wait->exchange != NULL)
        return VERDICT_WAIT;
    uint64_t key = source_key(&state->source, x);
    int64_t delay = token_buckets_take(state->buckets, &state->rate, key, exchange_now(x));
    if (delay == 0)
        return VERDICT_NEXT;
    if (delay > state->rate.longest_wait)
        return refuse(x, state, key, delay);
    wait->exchange = x;
    timer_init(&wait->timer, wait_is_over);
    timer_after(&x->worker->loop, &wait->timer, delay);
    return VERDICT_WAIT;
}

static void on_finish(struct exchange *x, struct middleware *m, void *own)
{
    struct rate_wait *wait = own;
    if (wait->exchange != NULL)
        timer_cancel(&wait->timer);
}

static void report(const struct middleware *m, struct json *json)
{
    const struct rate_limit *options = m->options;
    const struct rate_limit_state *state = m->state;
    char memory[SOURCE_TEXT_SIZE];
    int64_t now = time_monotonic();
    if (state->zones.count != 0) {
        rate_zones_report(&state->zones, json);
        return;
    }
    json_member_int(json, "average", options->average);
    json_member_number(json, "periodSeconds", (double)options->period / (double)TIME_S);
    json_member_int(json, "burst", options->burst);
    if (state->buckets == NULL)
        return;
    struct token_counts counts = token_buckets_count(state->buckets, now);
    json_member_str(json, "by", source_kind_text(&state->source, memory));
    json_member_uint(json, "allowed", counts.taken);
    json_member_uint(json, "sources", counts.sources);
    refused_sources_report(&state->buckets->refused, now, json);
}

static void count(const struct middleware *m, struct limit_counts *counts)
{
    const struct rate_limit_state *state = m->state;
    if (state->zones.count != 0)
        rate_zones_count(&state->zones, counts);
    if (state->buckets == NULL)
        return;
    struct token_sums sums = token_buckets_sums(state->buckets);
    counts->allowed = (int64_t)sums.taken;
    counts->delayed = (int64_t)sums.waited_for;
    counts->refused = refused_sources_total(&state->buckets->refused);
}

static const struct middleware_type rate_limit = {
    .choice = {.name = "rateLimit",
               .summary = "Limits how often each source may ask.",
               .table = &rate_limit_table},
    .state_size = sizeof(struct rate_limit_state),
    .exchange_size = sizeof(struct rate_wait),
    .compile = compile,
    .on_request = on_request,
    .on_finish = on_finish,
    .report = report,
    .count = count,
};
REGISTER(middleware_type, rate_limit);
