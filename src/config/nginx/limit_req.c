/* limit_req: rateLimit by zones. */
#include "config/nginx/zone.h"

static const struct nginx_syntax rows[] = {
    {"limit_req_zone", NGINX_HTTP, .min = 3, .max = 4, .repeats = true, .help = "A zone of leaky buckets: a key, zone=NAME:SIZE, rate=10r/s."},
    {"limit_req", NGINX_EVERYWHERE, .min = 1, .max = 3, .repeats = true, .help = "Limits requests by a zone: zone=NAME burst=5 nodelay."},
    {"limit_req_status", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "What refused requests get; 503 unless said."},
    {"limit_req_log_level", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "The level at which refusals are logged; delays one lower."},
    {"limit_req_dry_run", NGINX_EVERYWHERE, .flag = true, .help = "Counts and logs without limiting."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

static bool is_rate(struct str text)
{
    uint64_t number;
    return text.len > 3 && (str_ends(text, S("r/s")) || str_ends(text, S("r/m"))) &&
           str_to_u64(str_first(text, text.len - 3), &number) && number != 0;
}

static bool parse_zone_word(struct nginx_zone *zone, const struct nginx_word *word)
{
    if (str_equal(word->text, S("sync")))
        return true;
    if (!str_starts(word->text, S("rate=")))
        return false;
    zone->rate = str_from_index(word->text, 5);
    return is_rate(zone->rate);
}

static void read_zones(struct nginx_compile *compile)
{
    nginx_zones_read(compile, "limit_req_zone", parse_zone_word);
}

/* nginx takes a zone without a rate for 1r/s. */
static struct str rate_of(const struct nginx_zone *zone)
{
    return zone->rate.len != 0 ? zone->rate : S("1r/s");
}

static void put_number(struct nginx_compile *compile, struct node *item, const char *key, const struct nginx_word *word,
                       struct str value)
{
    uint64_t number;
    if (str_to_u64(value, &number) && number <= 1000000000)
        nginx_put_number(compile, item, key, (int64_t)number, word->span);
    else
        diag_error(compile->diag, word->span, "invalid %s value \"%.*s\"", key, STR_ARGS(word->text));
}

static void put_word(struct nginx_compile *compile, struct node *item, const struct nginx_word *word)
{
    if (str_starts(word->text, S("burst=")))
        put_number(compile, item, "burst", word, str_from_index(word->text, 6));
    else if (str_starts(word->text, S("delay=")))
        put_number(compile, item, "delay", word, str_from_index(word->text, 6));
    else if (str_equal(word->text, S("nodelay")))
        nginx_put_flag(compile, item, "noDelay", true, word->span);
    else if (!str_starts(word->text, S("zone=")))
        diag_error(compile->diag, word->span, "invalid parameter \"%.*s\"", STR_ARGS(word->text));
}

static void put_limit(struct nginx_compile *compile, struct node *list, const struct nginx_directive *directive)
{
    struct str name;
    const struct nginx_word *word = NULL;
    if (!nginx_parameter(directive, 0, "zone", &name, &word)) {
        diag_error(compile->diag, directive->span, "\"limit_req\" must have \"zone\" parameter");
        return;
    }
    const struct nginx_zone *zone = nginx_zone_find(compile, "limit_req_zone", name, word);
    if (zone == NULL)
        return;
    struct node *item = nginx_add_map(compile, list, directive->span);
    nginx_put(compile, item, "zone", name, word->span);
    nginx_put(compile, item, "key", nginx_template(compile, zone->key), zone->key->span);
    nginx_put(compile, item, "rate", rate_of(zone), zone->directive->span);
    nginx_put_number(compile, item, "size", zone->size, zone->directive->span);
    for (size_t i = 0; i < directive->count; i++)
        put_word(compile, item, &directive->words[i]);
}

static void put_place(struct nginx_place *place)
{
    const struct nginx_directive *first = nginx_all(place->scope, "limit_req");
    if (first == NULL)
        return;
    struct node *options = nginx_middleware(place, NGINX_CHAIN_LIMITS, "rateLimit", first->span);
    struct node *list = nginx_put_list(place->compile, options, "zones", first->span);
    for (const struct nginx_directive *it = first; it != NULL; it = nginx_same(it))
        put_limit(place->compile, list, it);
    nginx_put_zone_policy(place, options, "limit_req", first->span);
}

static const struct nginx_part part = {.name = "limit_req", .order = 20, .global = read_zones, .place = put_place};
REGISTER(nginx_part, part);
