#include "middleware/rate_zones.h"

#include "base/time.h"

struct rate_zone_options {
    const struct node *origin;
    struct str zone, key, rate;
    int64_t size, burst, delay;
    bool no_delay;
};

struct rate_zone {
    struct leaky_zone *zone;
    const struct text_template *key;
    int64_t rate, burst, delay;   /* thousandths of a request (a second) */
    const struct rate_zone_options *options;
};

#define NUMBER_MAX INT64_C(1000000000)

/* ---- options ---- */

/* "10r/s", "30r/m": as thousandths a second, cut to whole ones as nginx does. */
static bool parse_rate(struct str text, int64_t *ret_rate)
{
    uint64_t number;
    int64_t scale = str_ends(text, S("r/s")) ? 1 : str_ends(text, S("r/m")) ? 60 : 0;
    if (scale == 0 || !str_to_u64(str_first(text, text.len - 3), &number) || number == 0 || number > (uint64_t)NUMBER_MAX)
        return false;
    *ret_rate = (int64_t)number * LEAKY_UNIT / scale;
    return *ret_rate > 0;
}

static const char *check_rate(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    int64_t rate;
    return parse_rate(text, &rate) ? NULL : "is no rate: '10r/s' or '30r/m'";
}

static const struct option rate_zone_list[] = {
    OPTION(STR, struct rate_zone_options, zone, .required = true,
           .help = "The zone's name: limits that name the same one count together."),
    OPTION(STR, struct rate_zone_options, key, .required = true,
           .help = "What is counted by, with variables: '${binary_remote_addr}'. Where it is empty nothing is limited."),
    OPTION(STR, struct rate_zone_options, rate, .required = true, .check = check_rate,
           .help = "How fast requests leak out: '10r/s', '30r/m'."),
    OPTION(SIZE, struct rate_zone_options, size, .fallback = "1MiB", .min = 1024, .max = INT64_C(1) << 36,
           .help = "Room for sources: 128 bytes each; beyond it the one that was not seen longest is forgotten."),
    OPTION(INT, struct rate_zone_options, burst, .min = 0, .max = NUMBER_MAX,
           .help = "Requests over the rate that are taken all the same."),
    OPTION(INT, struct rate_zone_options, delay, .min = 0, .max = NUMBER_MAX,
           .help = "Of the burst, requests that need not wait."),
    OPTION_NAMED(BOOL, struct rate_zone_options, no_delay, "noDelay", .help = "No request of the burst waits."),
};
const struct option_table rate_zone_table =
    OPTION_TABLE(struct rate_zone_options, rate_zone_list, .summary = "A leaky bucket for each value of a key.");

static bool compile_zone(struct rate_zone *zone, const struct rate_zone_options *options, struct compile *compile)
{
    zone->options = options;
    zone->key = text_template_new(options->key, compile, node_span(node_get(options->origin, S("key"))));
    if (zone->key == NULL || !parse_rate(options->rate, &zone->rate))
        return false;
    zone->burst = options->burst * LEAKY_UNIT;
    zone->delay = options->no_delay ? INT64_MAX : options->delay * LEAKY_UNIT;
    zone->zone = compile_shared(compile, zone_identity("rate", options->zone, options->size, options->key, compile),
                                leaky_zone_memory(options->size), leaky_zone_init, leaky_zone_destroy);
    leaky_zone_settle(zone->zone, options->size);
    return true;
}

bool rate_zones_compile(struct rate_zones *zones, const struct objects *limits, const struct zone_policy *policy,
                        struct compile *compile)
{
    bool good = true;
    if (limits->count > RATE_ZONES_MAX) {
        const struct rate_zone_options *beyond = limits->items[RATE_ZONES_MAX].value;
        diag_error(compile->diag, node_span(beyond->origin), "there may be %d zones in one place", RATE_ZONES_MAX);
        return false;
    }
    zones->policy = *policy;
    zones->items = arena_array(compile->arena, struct rate_zone, limits->count);
    zones->count = limits->count;
    for (size_t i = 0; i < limits->count; i++)
        good &= compile_zone(&zones->items[i], limits->items[i].value, compile);
    return good;
}

/* ---- a request ---- */

/* What the zones say together. */
struct finding {
    const struct rate_zone *zone; /* that refuses, or whose delay is the longest; NULL: none has counted it */
    int64_t excess, delay;        /* delay: ms */
    bool refused;
};

static int64_t delay_of(const struct rate_zone *zone, int64_t excess)
{
    return excess <= zone->delay ? 0 : (excess - zone->delay) * 1000 / zone->rate;
}

static struct finding refused_by(const struct rate_zone *zone, uint64_t key, struct str text, int64_t excess,
                                 struct exchange *x)
{
    struct refused_sources *refused = leaky_zone_refused(zone->zone);
    if (!refused_sources_count(refused, key, exchange_now(x)))
        refused_sources_note(refused, key, zone_key_text(x, text), exchange_now(x));
    return (struct finding){.zone = zone, .excess = excess, .refused = true};
}

static void note_taken(struct finding *finding, const struct rate_zone *zone, int64_t excess)
{
    int64_t delay = delay_of(zone, excess);
    if (finding->zone != NULL && delay <= finding->delay)
        return;
    *finding = (struct finding){.zone = zone, .excess = excess, .delay = delay};
}

/* The last zone takes the request if it may; those before it are only looked at until it has, so that a request which one of them
 * refuses is counted by none. */
static struct finding ask(const struct rate_zones *zones, struct exchange *x)
{
    struct finding finding = {0};
    uint64_t keys[RATE_ZONES_MAX];
    int64_t now = exchange_now(x) / TIME_MS;
    for (size_t i = 0; i < zones->count; i++) {
        const struct rate_zone *zone = &zones->items[i];
        bool last = i + 1 == zones->count;
        struct str text;
        keys[i] = zone_key(zone->key, x, &text);
        if (keys[i] == 0)
            continue;
        int64_t excess = last ? leaky_zone_take(zone->zone, keys[i], zone->rate, zone->burst, now)
                              : leaky_zone_look(zone->zone, keys[i], zone->rate, now);
        if (excess > zone->burst)
            return refused_by(zone, keys[i], text, excess, x);
        if (last)
            note_taken(&finding, zone, excess);
    }
    for (size_t i = zones->count - 1; i-- > 0;)
        if (keys[i] != 0)
            note_taken(&finding, &zones->items[i],
                       leaky_zone_take(zones->items[i].zone, keys[i], zones->items[i].rate, INT64_MAX, now));
    return finding;
}

static void tell(const struct rate_zones *zones, struct exchange *x, const struct finding *finding)
{
    const char *dry = zones->policy.dry_run ? ", dry run" : "";
    long long whole = finding->excess / LEAKY_UNIT, part = finding->excess % LEAKY_UNIT;
    struct str name = finding->zone->options->zone;
    int level = zones->policy.log_level;
    if (finding->refused)
        error_log_add(x, (enum syslog_severity)level, "limiting requests%s, excess: %lld.%03lld by zone \"%.*s\"", dry, whole, part,
                      STR_ARGS(name));
    else
        error_log_add(x, (enum syslog_severity)(level < SYSLOG_INFO ? level + 1 : level),
                      "delaying request%s, excess: %lld.%03lld, by zone \"%.*s\"", dry, whole, part, STR_ARGS(name));
}

static enum verdict refuse(const struct rate_zones *zones, struct exchange *x)
{
    if (zones->policy.dry_run) {
        x->rate_status = LIMIT_REJECTED_DRY_RUN;
        return VERDICT_NEXT;
    }
    x->rate_status = LIMIT_REJECTED;
    exchange_answer_status(x, (int)zones->policy.reject_status_code, STATUS_RATE_LIMITED);
    return VERDICT_ANSWER;
}

static enum verdict delay(const struct rate_zones *zones, struct exchange *x, struct rate_zones_own *own, int64_t ms)
{
    if (zones->policy.dry_run) {
        x->rate_status = LIMIT_DELAYED_DRY_RUN;
        return VERDICT_NEXT;
    }
    x->rate_status = LIMIT_DELAYED;
    own->delayed = true;
    exchange_wait(x, ms * TIME_MS);
    return VERDICT_WAIT;
}

enum verdict rate_zones_on_request(const struct rate_zones *zones, struct exchange *x, struct rate_zones_own *own)
{
    if (own->delayed || x->rate_settled)
        return VERDICT_NEXT;
    struct finding finding = ask(zones, x);
    if (finding.zone == NULL)
        return VERDICT_NEXT;
    if (!finding.refused && finding.delay == 0) {
        x->rate_status = LIMIT_PASSED;
        return VERDICT_NEXT;
    }
    tell(zones, x, &finding);
    if (finding.refused)
        return refuse(zones, x);
    leaky_zone_note_delay(finding.zone->zone);
    return delay(zones, x, own, finding.delay);
}

/* ---- for people ---- */

static void report_zone(const struct rate_zone *zone, struct json *json)
{
    struct leaky_counts counts = leaky_zone_counts(zone->zone);
    json_open_object(json);
    json_member_str(json, "zone", zone->options->zone);
    json_member_str(json, "by", zone->options->key);
    json_member_str(json, "rate", zone->options->rate);
    json_member_int(json, "burst", zone->options->burst);
    json_member_uint(json, "allowed", counts.taken);
    json_member_uint(json, "delayed", counts.delayed);
    json_member_uint(json, "sources", counts.sources);
    refused_sources_report(leaky_zone_refused(zone->zone), time_monotonic(), json);
    json_end(json);
}

/* The first zone speaks for the whole where only one line is shown; `zones` has all of them. */
void rate_zones_report(const struct rate_zones *zones, struct json *json)
{
    const struct rate_zone *first = &zones->items[0];
    struct leaky_counts counts = leaky_zone_counts(first->zone);
    json_member_number(json, "average", (double)first->rate / (double)LEAKY_UNIT);
    json_member_number(json, "periodSeconds", 1);
    json_member_int(json, "burst", first->options->burst);
    json_member_str(json, "by", first->options->key);
    json_member_uint(json, "allowed", counts.taken);
    json_member_uint(json, "sources", counts.sources);
    refused_sources_report(leaky_zone_refused(first->zone), time_monotonic(), json);
    json_member_array(json, "zones");
    for (size_t i = 0; i < zones->count; i++)
        report_zone(&zones->items[i], json);
    json_end(json);
}

void rate_zones_count(const struct rate_zones *zones, struct limit_counts *counts)
{
    counts->allowed = counts->delayed = 0;
    for (size_t i = 0; i < zones->count; i++) {
        struct leaky_counts of_zone = leaky_zone_counts(zones->items[i].zone);
        counts->allowed += (int64_t)of_zone.taken;
        counts->delayed += (int64_t)of_zone.delayed;
        counts->refused += refused_sources_total(leaky_zone_refused(zones->items[i].zone));
    }
}
