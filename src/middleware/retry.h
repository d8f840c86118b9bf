/* The decision of the retry middleware, apart from the exchange that it is made for. Pure. */
#ifndef MIDDLEWARE_RETRY_H
#define MIDDLEWARE_RETRY_H

#include "http/message.h"
#include "http/status_ranges.h"

struct retry {
    const struct node *origin;
    int64_t attempts, initial_interval, timeout;      /* ns */
    struct strs status;
    int64_t max_request_body_bytes;
    bool disable_retry_on_network_error, retry_non_idempotent_method;
};

/* In each exchange. */
struct retry_progress {
    int64_t began;          /* monotonic ns */
    unsigned tries;         /* responses seen, ours included */
    bool paused;
};

/* How a try ended. */
struct retry_outcome {
    unsigned tries;         /* this one included */
    int64_t elapsed;        /* ns since the first began */
    int status;
    bool network_error;     /* no server answered */
    bool sent;              /* bytes of the request left for the server: it may have acted on them */
    bool repeatable;        /* retry_is_repeatable */
};

bool retry_is_repeatable(const struct retry *retry, enum method method, struct str method_name);
bool retry_is_worth_it(const struct retry *retry, const struct status_ranges *status,
                       const struct retry_outcome *outcome);

#endif
