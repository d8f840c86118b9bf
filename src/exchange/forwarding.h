/* How a request goes about its servers where more is said than the load balancer that has them says: connections of its own kind,
 * and what another server is asked for. Services set it on the way (service/forward.c, service/load_balancer.c); the spine and
 * load balancers look at it. Const, in the graph's arena. */
#ifndef EXCHANGE_FORWARDING_H
#define EXCHANGE_FORWARDING_H

#include "exchange/compile.h"
#include "exchange/exchange.h"

/* What sends a request to the next server. */
enum retry_on {
    RETRY_ERROR = 1,              /* no connection, or it broke before a response head */
    RETRY_TIMEOUT = 2,
    RETRY_INVALID_HEADER = 4,     /* the response is malformed or empty */
    RETRY_HTTP_500 = 8,
    RETRY_HTTP_502 = 16,
    RETRY_HTTP_503 = 32,
    RETRY_HTTP_504 = 64,
    RETRY_HTTP_403 = 128,
    RETRY_HTTP_404 = 256,
    RETRY_HTTP_429 = 512,
};

struct retries_config {
    const struct node *origin;
    struct strs on;
    int64_t attempts, timeout;    /* attempts 0: as many as there are servers; timeout: ns, 0: none */
    bool non_idempotent;
};
extern const struct option_table retries_table;

struct retries {
    unsigned on;                  /* enum retry_on */
    unsigned attempts;
    int64_t timeout;
    bool non_idempotent;
};

struct forwarding {
    const struct transport *transport;      /* instead of the load balancer's; NULL: its */
    const struct retries *retries;          /* NULL: the usual: what is safe to repeat is repeated where a server gave no answer */
};

/* NULL when `config` is NULL. */
const struct retries *retries_compile(const struct retries_config *config, struct compile *compile);
/* The bit for a response's status; 0: it has none. */
unsigned retry_on_status(int status);
/* The bit for what an attempt failed by. */
unsigned retry_on_failure(enum status status);
/* May `reason` (a bit) send this request to the next server? Whether there is one is not asked. */
bool retries_allow(const struct exchange *x, unsigned reason);
/* What counts against a server: never 403 and 404. */
static inline bool retries_blame(const struct retries *retries, unsigned reason)
{
    return (retries->on & reason & ~(unsigned)(RETRY_HTTP_403 | RETRY_HTTP_404)) != 0;
}

#endif
