/* limit_conn: inFlightReq by zones. */
#include "config/nginx/zone.h"

static const struct nginx_syntax rows[] = {
    {"limit_conn_zone", NGINX_HTTP, .min = 2, .max = 2, .repeats = true, .help = "A zone of counts: a key and zone=NAME:SIZE."},
    {"limit_conn", NGINX_EVERYWHERE, .min = 2, .max = 2, .repeats = true, .help = "Limits requests that are under way at once by a zone."},
    {"limit_conn_status", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "What refused requests get; 503 unless said."},
    {"limit_conn_log_level", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "The level at which refusals are logged."},
    {"limit_conn_dry_run", NGINX_EVERYWHERE, .flag = true, .help = "Counts and logs without limiting."},
    {"limit_zone", NGINX_HTTP, .min = 3, .max = 3, .repeats = true, .refused = "nginx has it no more; use limit_conn_zone"},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

static void read_zones(struct nginx_compile *compile)
{
    nginx_zones_read(compile, "limit_conn_zone", NULL);
}

static void put_limit(struct nginx_compile *compile, struct node *list, const struct nginx_directive *directive)
{
    const struct nginx_word *name = &directive->words[0], *amount = &directive->words[1];
    uint64_t number;
    if (!str_to_u64(amount->text, &number) || number == 0) {
        diag_error(compile->diag, amount->span, "invalid number of connections \"%.*s\"", STR_ARGS(amount->text));
        return;
    }
    if (number > 65535) {
        diag_error(compile->diag, amount->span, "connection limit must be less 65536");
        return;
    }
    const struct nginx_zone *zone = nginx_zone_find(compile, "limit_conn_zone", name->text, name);
    if (zone == NULL)
        return;
    struct node *item = nginx_add_map(compile, list, directive->span);
    nginx_put(compile, item, "zone", name->text, name->span);
    nginx_put(compile, item, "key", nginx_template(compile, zone->key), zone->key->span);
    nginx_put_number(compile, item, "amount", (int64_t)number, amount->span);
}

static void put_place(struct nginx_place *place)
{
    const struct nginx_directive *first = nginx_all(place->scope, "limit_conn");
    if (first == NULL)
        return;
    struct node *options = nginx_middleware(place, NGINX_CHAIN_LIMITS, "inFlightReq", first->span);
    struct node *list = nginx_put_list(place->compile, options, "zones", first->span);
    for (const struct nginx_directive *it = first; it != NULL; it = nginx_same(it))
        put_limit(place->compile, list, it);
    nginx_put_zone_policy(place, options, "limit_conn", first->span);
}

static const struct nginx_part part = {.name = "limit_conn", .order = 21, .global = read_zones, .place = put_place};
REGISTER(nginx_part, part);
