#include "exchange/forwarding.h"

static const struct {
    struct str name;
    unsigned bit;
    int status;
} reasons[] = {
    {STR("error"), RETRY_ERROR, 0},         {STR("timeout"), RETRY_TIMEOUT, 0},    {STR("invalidHeader"), RETRY_INVALID_HEADER, 0},
    {STR("500"), RETRY_HTTP_500, 500},      {STR("502"), RETRY_HTTP_502, 502},     {STR("503"), RETRY_HTTP_503, 503},
    {STR("504"), RETRY_HTTP_504, 504},      {STR("403"), RETRY_HTTP_403, 403},     {STR("404"), RETRY_HTTP_404, 404},
    {STR("429"), RETRY_HTTP_429, 429},
};
#define REASON_COUNT (sizeof(reasons) / sizeof(reasons[0]))

static unsigned reason_bit(struct str name)
{
    for (size_t i = 0; i < REASON_COUNT; i++)
        if (str_equal_nocase(reasons[i].name, name))
            return reasons[i].bit;
    return 0;
}

static const char *check_reason(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return reason_bit(text) != 0 ? NULL
                                 : "is nothing that another server is asked for: use error, timeout, invalidHeader, or one of "
                                   "500, 502, 503, 504, 403, 404, 429";
}

static const struct option options[] = {
    OPTION(STRS, struct retries_config, on, .check = check_reason,
           .help = "What sends a request to the next server: error, timeout, invalidHeader, 500, 502, 503, 504, 403, 404, 429. None: nothing."),
    OPTION(INT, struct retries_config, attempts, .min = 0, .max = 1000,
           .help = "Servers that are asked at most, the first included; 0: each once."),
    OPTION(DURATION, struct retries_config, timeout, .min = 0, .max = INT64_MAX,
           .help = "No other server is asked after this long; 0: no limit."),
    OPTION_NAMED(BOOL, struct retries_config, non_idempotent, "nonIdempotent",
                 .help = "Requests whose method is POST, PATCH or LOCK too, although a server may have acted on them."),
};
const struct option_table retries_table =
    OPTION_TABLE(struct retries_config, options, .summary = "When another server is asked.");

const struct retries *retries_compile(const struct retries_config *config, struct compile *compile)
{
    if (config == NULL)
        return NULL;
    struct retries *retries = arena_new(compile->arena, struct retries);
    *retries = (struct retries){
        .attempts = (unsigned)config->attempts, .timeout = config->timeout, .non_idempotent = config->non_idempotent};
    for (size_t i = 0; i < config->on.count; i++)
        retries->on |= reason_bit(config->on.items[i]);
    return retries;
}

unsigned retry_on_status(int status)
{
    if (status < 400)
        return 0;
    for (size_t i = 0; i < REASON_COUNT; i++)
        if (reasons[i].status == status)
            return reasons[i].bit;
    return 0;
}

unsigned retry_on_failure(enum status status)
{
    switch ((int)status) {
    case STATUS_UPSTREAM_TIMEOUT:
    case STATUS_UPSTREAM_TOO_SLOW:
    case STATUS_UPSTREAM_CONNECT_TIMEOUT:
        return RETRY_TIMEOUT;
    case STATUS_UPSTREAM_BAD_RESPONSE:
    case STATUS_UPSTREAM_HEAD_TOO_LARGE:
        return RETRY_INVALID_HEADER;
    default:
        return RETRY_ERROR;
    }
}

static bool is_repeatable(const struct exchange *x)
{
    const struct request *request = &x->stream.request;
    return request->method != METHOD_POST && request->method != METHOD_PATCH && !str_equal(request->method_name, S("LOCK"));
}

/* A connection is enough for the request to count as sent, as long as a byte may have left. */
bool retries_allow(const struct exchange *x, unsigned reason)
{
    const struct retries *retries = x->forwarding->retries;
    bool sent = x->upstream_bound && x->upstream.anything_sent;
    if ((retries->on & reason) == 0 || (retries->attempts != 0 && x->attempts - x->stale_attempts >= retries->attempts))
        return false;
    if (sent && !retries->non_idempotent && !is_repeatable(x))
        return false;
    return retries->timeout == 0 || exchange_now(x) - x->times.routed < retries->timeout;
}
