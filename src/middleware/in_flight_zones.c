#include "middleware/in_flight_zones.h"

#include "base/time.h"
#include "middleware/answer.h"

struct in_flight_zone_options {
    const struct node *origin;
    struct str zone, key;
    int64_t amount;
};

struct in_flight_zone {
    struct in_flight_counts *counts;
    const struct text_template *key;
    uint64_t amount;
    const struct in_flight_zone_options *options;
};

static const struct option in_flight_zone_list[] = {
    OPTION(STR, struct in_flight_zone_options, zone, .required = true,
           .help = "The zone's name: limits that name the same one count together."),
    OPTION(STR, struct in_flight_zone_options, key, .required = true,
           .help = "What is counted by, with variables: '${binary_remote_addr}'. Where it is empty nothing is limited."),
    OPTION(INT, struct in_flight_zone_options, amount, .required = true, .min = 1, .max = 65535,
           .help = "Requests with the same key that may be under way at once."),
};
const struct option_table in_flight_zone_table =
    OPTION_TABLE(struct in_flight_zone_options, in_flight_zone_list, .summary = "A count for each value of a key.");

static bool compile_zone(struct in_flight_zone *zone, const struct in_flight_zone_options *options, struct compile *compile)
{
    zone->options = options;
    zone->amount = (uint64_t)options->amount;
    zone->key = text_template_new(options->key, compile, node_span(node_get(options->origin, S("key"))));
    if (zone->key == NULL)
        return false;
    zone->counts = compile_shared(compile, zone_identity("inFlight", options->zone, 0, options->key, compile),
                                  sizeof(struct in_flight_counts), in_flight_counts_init, in_flight_counts_destroy);
    return true;
}

bool in_flight_zones_compile(struct in_flight_zones *zones, const struct objects *limits, const struct zone_policy *policy,
                             struct compile *compile)
{
    bool good = true;
    zones->policy = *policy;
    zones->items = arena_array(compile->arena, struct in_flight_zone, limits->count);
    zones->count = limits->count;
    for (size_t i = 0; i < limits->count; i++)
        good &= compile_zone(&zones->items[i], limits->items[i].value, compile);
    return good;
}

/* ---- a request ---- */

static void note_refusal(const struct in_flight_zones *zones, const struct in_flight_zone *zone, uint64_t key,
                         struct str text, struct exchange *x)
{
    const struct zone_policy *policy = &zones->policy;
    refused_sources_note(&zone->counts->refused, key, zone_key_text(x, text), exchange_now(x));
    error_log_add(x, (enum syslog_severity)policy->log_level, "limiting connections%s by zone \"%.*s\"",
                  policy->dry_run ? ", dry run," : "", STR_ARGS(zone->options->zone));
}

static enum verdict refuse(const struct in_flight_zones *zones, struct exchange *x)
{
    if (zones->policy.dry_run) {
        x->connections_status = LIMIT_REJECTED_DRY_RUN;
        return VERDICT_NEXT;
    }
    x->connections_status = LIMIT_REJECTED;
    exchange_answer_status(x, (int)zones->policy.reject_status_code, STATUS_IN_FLIGHT_LIMITED);
    return VERDICT_ANSWER;
}

/* One that a zone refuses is counted by none. */
enum verdict in_flight_zones_enter(const struct in_flight_zones *zones, struct exchange *x, uint64_t **keys)
{
    if (x->connections_settled)
        return VERDICT_NEXT;
    *keys = arena_array(&x->arena, uint64_t, zones->count);
    if (*keys == NULL)
        return answer_out_of_memory(x);
    for (size_t i = 0; i < zones->count; i++) {
        const struct in_flight_zone *zone = &zones->items[i];
        struct str text;
        uint64_t key = zone_key(zone->key, x, &text);
        if (key == 0)
            continue;
        if (!in_flight_counts_enter(zone->counts, key, zone->amount)) {
            note_refusal(zones, zone, key, text, x);
            in_flight_zones_leave(zones, *keys);
            *keys = NULL;
            return refuse(zones, x);
        }
        (*keys)[i] = key;
        x->connections_status = LIMIT_PASSED;
    }
    return VERDICT_NEXT;
}

void in_flight_zones_leave(const struct in_flight_zones *zones, const uint64_t *keys)
{
    for (size_t i = 0; keys != NULL && i < zones->count; i++)
        if (keys[i] != 0)
            in_flight_counts_leave(zones->items[i].counts, keys[i]);
}

/* ---- for people ---- */

static void report_zone(const struct in_flight_zone *zone, struct json *json)
{
    struct in_flight_sum sum = in_flight_counts_sum(zone->counts);
    json_member_uint(json, "amount", zone->amount);
    json_member_str(json, "by", zone->options->key);
    json_member_uint(json, "allowed", sum.entered);
    json_member_uint(json, "sources", sum.sources);
    json_member_uint(json, "underWay", sum.under_way);
    json_member_uint(json, "mostUnderWay", sum.most);
    refused_sources_report(&zone->counts->refused, time_monotonic(), json);
}

/* The first zone speaks for the whole where only one line is shown; `zones` has all of them. */
void in_flight_zones_report(const struct in_flight_zones *zones, struct json *json)
{
    report_zone(&zones->items[0], json);
    json_member_array(json, "zones");
    for (size_t i = 0; i < zones->count; i++) {
        json_open_object(json);
        json_member_str(json, "zone", zones->items[i].options->zone);
        report_zone(&zones->items[i], json);
        json_end(json);
    }
    json_end(json);
}

void in_flight_zones_count(const struct in_flight_zones *zones, struct limit_counts *counts)
{
    counts->allowed = counts->active = 0;
    for (size_t i = 0; i < zones->count; i++) {
        struct in_flight_sum sum = in_flight_counts_sum(zones->items[i].counts);
        counts->allowed += (int64_t)sum.entered;
        counts->active += (int64_t)sum.under_way;
        counts->refused += refused_sources_total(&zones->items[i].counts->refused);
    }
}
