/* Token buckets of many sources, in memory of a fixed size, shared by all workers.
 *
 * A bucket is one number: the time at which it will be full again. Taking a token moves that time
 * on by the time that one token takes to come back; how far it then lies ahead says whether the
 * token was there, or for how long to wait. So a bucket that is full needs no memory: its place
 * can be used for another source, and nothing ever expires by a timer. Where a set of places is
 * full of busy sources, the one nearest to full is forgotten.
 *
 * Threading: any thread; one short lock per token that is taken, one of many, and none where it is refused. Times are
 * monotonic ns. */
#ifndef MIDDLEWARE_TOKEN_BUCKETS_H
#define MIDDLEWARE_TOKEN_BUCKETS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "middleware/refused_sources.h"

#define BUCKETS_SETS 16384 /* a power of two */
#define BUCKETS_WAYS 8 /* places in a set: 128 bytes, two cache lines */
#define BUCKETS_LOCKS 64 /* a power of two */

/* Written under the set's lock. */
struct token_bucket {
    _Atomic uint64_t key; /* 0: never used */
    _Atomic int64_t full_at;
};

struct token_buckets {
    union {
        struct {
            pthread_mutex_t mutex;
            uint64_t taken; /* tokens of its sets */
            uint64_t waited_for; /* of these, by requests that had to wait */
        };
        char line[64]; /* a cache line each */
    } locks[BUCKETS_LOCKS];
    struct refused_sources refused;
    struct token_bucket sets[BUCKETS_SETS][BUCKETS_WAYS];
};

/* How fast a bucket fills, how much it holds, and how long a request may wait for a token. */
struct token_rate {
    int64_t interval; /* ns that one token takes to come */
    int64_t span; /* ns that the whole burst takes: interval * burst, or as much as fits */
    int64_t longest_wait; /* ns */
};

/* `average` tokens in `period` ns, both over 0; `burst` at least 1. The longest wait is half of
 * the time for a token (the rate cut to a whole number a second), 0.5 s at the most. */
struct token_rate token_rate_of(int64_t average, int64_t period, int64_t burst);

/* For compile_shared: `memory` is zeroed. */
void token_buckets_init(void *memory);
void token_buckets_destroy(void *memory);

/* Takes one token. The time to wait before going on (0: none); over rate->longest_wait: nothing
 * was taken, and that is the time after which to try again. */
int64_t token_buckets_take(struct token_buckets *buckets, const struct token_rate *rate,
                           uint64_t key, int64_t now);

/* For people: tokens taken ever, and sources whose buckets are not full. Takes each lock once. */
struct token_counts {
    uint64_t taken, sources;
};
struct token_counts token_buckets_count(struct token_buckets *buckets, int64_t now);
/* For metrics, without looking at the buckets: tokens taken ever, and those of requests that had to wait. */
struct token_sums {
    uint64_t taken, waited_for;
};
struct token_sums token_buckets_sums(struct token_buckets *buckets);

#endif
