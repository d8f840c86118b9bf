/* A circuit breaker apart from requests: what it measures, and whether one more request may pass.
 *
 *     CLOSED ---- the condition holds ----> OPEN
 *     OPEN ------ fallback is over -------> RECOVERING: a growing part of the requests passes
 *     RECOVERING  the condition holds ----> OPEN
 *     RECOVERING  recovery is over -------> CLOSED
 *
 * Measures are of the last ten seconds, latencies of the last minute. Threading: any; one short lock each, none while the
 * breaker is closed and a request comes. Times are monotonic ns. */
#ifndef MIDDLEWARE_BREAKER_H
#define MIDDLEWARE_BREAKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "middleware/expression.h"

#define BREAKER_SLOTS 10             /* seconds */
#define BREAKER_LATENCY_SLOTS 6      /* of ten seconds */
#define BREAKER_LATENCY_BINS 256

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_RECOVERING };
enum breaker_change { BREAKER_SAME, BREAKER_OPENED, BREAKER_RECOVERS, BREAKER_CLOSES };

/* What is configured; const. */
struct breaker_rule {
    struct expression condition;
    int64_t check_period, fallback_duration, recovery_duration;
};

struct breaker_slot {
    int64_t number;                  /* of the stretch of time that it counts, never given twice */
    uint32_t total, network_errors;
    uint32_t ranges[EXPRESSION_CALLS_MAX][2];      /* ResponseCodeRatio's, by call */
};

struct breaker_latencies {
    int64_t number;
    uint32_t total;
    uint32_t bins[BREAKER_LATENCY_BINS];
};

struct breaker {
    pthread_mutex_t lock;
    _Atomic int state;
    int64_t until;                   /* end of OPEN or RECOVERING */
    int64_t since;
    int64_t next_check;
    uint32_t passed, refused;        /* while recovering */
    uint64_t opened, kept_back;      /* ever: how often it opened; requests that did not pass */
    struct breaker_slot slots[BREAKER_SLOTS];
    struct breaker_latencies latencies[BREAKER_LATENCY_SLOTS];
};

/* For compile_shared. */
void breaker_init(void *memory);
void breaker_release(void *memory);

/* The functions that conditions may use, for expression_parse. */
extern const struct expression_function breaker_functions[];

/* May a request pass? *ret_change gets what its coming has changed. */
bool breaker_admit(struct breaker *breaker, const struct breaker_rule *rule, int64_t now,
                   enum breaker_change *ret_change);
/* How a request that passed ended, in `latency` ns. Checks the condition when that is due. */
enum breaker_change breaker_record(struct breaker *breaker, const struct breaker_rule *rule, int64_t now, int status,
                                   bool network_error, int64_t latency);

/* For people. */
struct breaker_view {
    enum breaker_state state;
    int64_t since, until;            /* until: of OPEN and RECOVERING */
    uint64_t opened, kept_back, requests;      /* requests: of the last ten seconds */
};
struct breaker_view breaker_look(struct breaker *breaker, int64_t now);

#endif
