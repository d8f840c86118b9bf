/* limit_rate and limit_rate_after: a `bandwidth`. */
#include "config/nginx/compile.h"

#define LEVELS (NGINX_EVERYWHERE | NGINX_LOCATION_IF)

static const struct nginx_syntax rows[] = {
    {"limit_rate", LEVELS, .min = 1, .max = 1, .help = "Bytes a second by which a client gets a response's body."},
    {"limit_rate_after", LEVELS, .min = 1, .max = 1, .help = "Bytes of a body that are not slowed down."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

static void put_amount(struct nginx_compile *compile, struct node *options, const char *key, const struct nginx_directive *directive)
{
    const struct nginx_word *word = &directive->words[0];
    int64_t bytes;
    if (!nginx_has_variables(word->text) && !nginx_size(word->text, &bytes))
        nginx_invalid(compile, directive, word);
    else
        nginx_put(compile, options, key, nginx_template(compile, word), word->span);
}

static void place_rate(struct nginx_place *place)
{
    const struct nginx_directive *rate = nginx_find(place->scope, "limit_rate");
    const struct nginx_directive *after = nginx_find(place->scope, "limit_rate_after");
    if (rate == NULL && after == NULL)
        return;
    struct span span = rate != NULL ? rate->span : after->span;
    struct node *options = nginx_middleware(place, NGINX_CHAIN_RATE, "bandwidth", span);
    if (rate != NULL)
        put_amount(place->compile, options, "rate", rate);
    if (after != NULL)
        put_amount(place->compile, options, "after", after);
}

static const struct nginx_part part = {.name = "limit_rate", .place = place_rate};
REGISTER(nginx_part, part);
