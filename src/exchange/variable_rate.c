/* $limit_rate: how fast the client gets the response; scripts may set it. */
#include "base/time.h"
#include "exchange/variable.h"

static struct str limit_rate(struct exchange *x, struct str argument)
{
    return arena_printf(&x->arena, "%lld", (long long)x->rate);
}

/* What is no size changes nothing. */
static void set_limit_rate(struct exchange *x, struct str value)
{
    int64_t bytes;
    if (size_parse(value, &bytes) && bytes >= 0)
        exchange_limit_rate(x, bytes);
}

static const struct variable_type limit_rate_type = {
    .name = "limit_rate",
    .alias = "response.rate",
    .help = "Bytes a second by which the client gets the response's body, 0: no limit. Can be set.",
    .is_volatile = true,
    .get = limit_rate,
    .set = set_limit_rate};
REGISTER(variable_type, limit_rate_type);
