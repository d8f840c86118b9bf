/* Limits how many requests of each source are under way at once. */
#include "base/time.h"
#include "middleware/in_flight_counts.h"
#include "middleware/in_flight_zones.h"
#include "middleware/source_criterion.h"

struct in_flight_req {
    const struct node *origin;
    int64_t amount;
    struct source_criterion *source_criterion;
    struct objects zones;
    struct zone_policy policy;
};

struct in_flight_state {
    struct in_flight_zones zones; /* if it has any, they are all that counts */
    struct in_flight_counts *counts;
    struct source_rule source;
    uint64_t amount;
};

struct in_flight_own {
    uint64_t key; /* entered under it; 0: did not */
    uint64_t *zone_keys; /* NULL: did not */
};

static const struct option in_flight_req_options[] = {
    OPTION(INT, struct in_flight_req, amount, .min = 1, .max = INT64_MAX,
           .help = "Requests of a source that may be under way at once."),
    OPTION_NAMED(OBJECT, struct in_flight_req, source_criterion, "sourceCriterion",
                 .table = &source_criterion_table,
                 .help = "By what sources are told apart; absent: by the request's host."),
    OPTION(LIST, struct in_flight_req, zones, .table = &in_flight_zone_table,
           .help = "Counts with names and keys of one's choice instead."),
    ZONE_POLICY_OPTIONS(struct in_flight_req),
};

static void validate(void *value, const struct node *node, struct diag *diag)
{
    const struct in_flight_req *options = value;
    if (options->zones.count != 0 && (options->amount != 0 || options->source_criterion != NULL))
        diag_error(diag, node_span(node_get(node, S("zones"))),
                   "'zones' have amounts and keys of their own: 'amount' and 'sourceCriterion' do not go with them");
    else if (options->zones.count == 0 && options->amount == 0)
        diag_error(diag, node_span(node), "'amount' is missing");
}

static const struct option_table in_flight_req_table =
    OPTION_TABLE(struct in_flight_req, in_flight_req_options, .validate = validate,
                 .summary = "Limits requests under way at once.");

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct in_flight_req *options = m->options;
    struct in_flight_state *state = m->state;
    if (options->zones.count != 0)
        return in_flight_zones_compile(&state->zones, &options->zones, &options->policy, compile);
    state->amount = (uint64_t)options->amount;
    state->source = source_from(options->source_criterion, SOURCE_HOST, compile->arena);
    state->counts = compile_shared(compile, compile->path, sizeof(struct in_flight_counts),
                                   in_flight_counts_init, in_flight_counts_destroy);
    return true;
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct in_flight_state *state = m->state;
    struct in_flight_own *entered = own;
    if (state->zones.count != 0)
        return in_flight_zones_enter(&state->zones, x, &entered->zone_keys);
    uint64_t key = source_key(&state->source, x);
    if (in_flight_counts_enter(state->counts, key, state->amount)) {
        entered->key = key;
        return VERDICT_NEXT;
    }
    char source[SOURCE_TEXT_SIZE];
    refused_sources_note(&state->counts->refused, key, source_text(&state->source, x, source), exchange_now(x));
    exchange_answer_status(x, status_http(STATUS_IN_FLIGHT_LIMITED), STATUS_IN_FLIGHT_LIMITED);
    return VERDICT_ANSWER;
}

static void on_finish(struct exchange *x, struct middleware *m, void *own)
{
    const struct in_flight_state *state = m->state;
    const struct in_flight_own *entered = own;
    if (entered->key != 0)
        in_flight_counts_leave(state->counts, entered->key);
    in_flight_zones_leave(&state->zones, entered->zone_keys);
}

static void report(const struct middleware *m, struct json *json)
{
    const struct in_flight_state *state = m->state;
    char memory[SOURCE_TEXT_SIZE];
    if (state->zones.count != 0) {
        in_flight_zones_report(&state->zones, json);
        return;
    }
    struct in_flight_sum sum = in_flight_counts_sum(state->counts);
    json_member_uint(json, "amount", state->amount);
    json_member_str(json, "by", source_kind_text(&state->source, memory));
    json_member_uint(json, "allowed", sum.entered);
    json_member_uint(json, "sources", sum.sources);
    json_member_uint(json, "underWay", sum.under_way);
    json_member_uint(json, "mostUnderWay", sum.most);
    refused_sources_report(&state->counts->refused, time_monotonic(), json);
}

static void count(const struct middleware *m, struct limit_counts *counts)
{
    const struct in_flight_state *state = m->state;
    if (state->zones.count != 0) {
        in_flight_zones_count(&state->zones, counts);
        return;
    }
    struct in_flight_sum sum = in_flight_counts_sum(state->counts);
    counts->allowed = (int64_t)sum.entered;
    counts->active = (int64_t)sum.under_way;
    counts->refused = refused_sources_total(&state->counts->refused);
}

static const struct middleware_type in_flight_req = {
    .choice = {.name = "inFlightReq",
               .summary = "Limits requests under way at once.",
               .table = &in_flight_req_table},
    .state_size = sizeof(struct in_flight_state),
    .exchange_size = sizeof(struct in_flight_own),
    .compile = compile,
    .on_request = on_request,
    .on_finish = on_finish,
    .report = report,
    .count = count,
};
REGISTER(middleware_type, in_flight_req);
