#include "middleware/token_buckets.h"

#include "base/time.h"

/* Far beyond any uptime, and room to add to it. */
#define SPAN_MAX (INT64_MAX / 4)

struct token_rate token_rate_of(int64_t average, int64_t period, int64_t burst)
{
    struct token_rate rate = {.interval = period / average};
    if (rate.interval == 0)
        rate.interval = 1;
    if (__builtin_mul_overflow(rate.interval, burst, &rate.span) || rate.span > SPAN_MAX)
        rate.span = SPAN_MAX;
    double per_second = (double)average * (double)TIME_S / (double)period;
    rate.longest_wait = per_second < 1 ? TIME_S / 2 : TIME_S / ((int64_t)per_second * 2);
    return rate;
}

void token_buckets_init(void *memory)
{
    struct token_buckets *buckets = memory;
    for (size_t i = 0; i < BUCKETS_LOCKS; i++)
        pthread_mutex_init(&buckets->locks[i].mutex, NULL);
    refused_sources_init(&buckets->refused);
}

void token_buckets_destroy(void *memory)
{
    struct token_buckets *buckets = memory;
    for (size_t i = 0; i < BUCKETS_LOCKS; i++)
        pthread_mutex_destroy(&buckets->locks[i].mutex);
    refused_sources_release(&buckets->refused);
}

static uint64_t key_of(const struct token_bucket *bucket)
{
    return atomic_load_explicit(&bucket->key, memory_order_relaxed);
}

static int64_t full_at_of(const struct token_bucket *bucket)
{
    return atomic_load_explicit(&bucket->full_at, memory_order_relaxed);
}

/* The place of `key`, or that of a bucket which is full (that is, forgotten) or nearest to it. */
static struct token_bucket *find_place(struct token_bucket *set, uint64_t key)
{
    struct token_bucket *fullest = &set[0];
    for (size_t i = 0; i < BUCKETS_WAYS; i++) {
        if (key_of(&set[i]) == key)
            return &set[i];
        if (full_at_of(&set[i]) < full_at_of(fullest))
            fullest = &set[i];
    }
    /* Who looks on without the lock sees no key beside another's time. */
    atomic_store_explicit(&fullest->key, 0, memory_order_relaxed);
    atomic_store_explicit(&fullest->full_at, 0, memory_order_release);
    atomic_store_explicit(&fullest->key, key, memory_order_release);
    return fullest;
}

/* How long to wait for a token, and when the bucket is full again if it is taken. */
static int64_t wait_for(int64_t full_at, const struct token_rate *rate, int64_t now, int64_t *ret_full_at)
{
    *ret_full_at = (full_at > now ? full_at : now) + rate->interval;
    return *ret_full_at - now - rate->span;
}

/* Refusing changes nothing, so it takes no lock: a flood of requests from one source holds up nobody. 0: not to be refused. */
static int64_t refused_wait(const struct token_bucket *set, const struct token_rate *rate, uint64_t key, int64_t now)
{
    const struct token_bucket *bucket = set, *end = set + BUCKETS_WAYS;
    while (bucket < end && atomic_load_explicit(&bucket->key, memory_order_acquire) != key)
        bucket++;
    if (bucket == end)
        return 0;
    int64_t full_at = atomic_load_explicit(&bucket->full_at, memory_order_acquire);
    int64_t wait = wait_for(full_at, rate, now, &full_at);
    return wait > rate->longest_wait && key_of(bucket) == key ? wait : 0;
}

int64_t token_buckets_take(struct token_buckets *buckets, const struct token_rate *rate,
                           uint64_t key, int64_t now)
{
    size_t at = key & (BUCKETS_SETS - 1);
    struct token_bucket *set = buckets->sets[at];
    int64_t full_at, wait = refused_wait(set, rate, key, now);
    if (wait > 0)
        return wait;
    size_t lock = at & (BUCKETS_LOCKS - 1);
    pthread_mutex_t *mutex = &buckets->locks[lock].mutex;
    pthread_mutex_lock(mutex);
    struct token_bucket *bucket = find_place(set, key);
    wait = wait_for(full_at_of(bucket), rate, now, &full_at);
    if (wait <= rate->longest_wait) {
        atomic_store_explicit(&bucket->full_at, full_at, memory_order_release);
        buckets->locks[lock].taken++;
        buckets->locks[lock].waited_for += wait > 0;
    }
    pthread_mutex_unlock(mutex);
    return wait > 0 ? wait : 0;
}

static uint64_t count_sources(const struct token_buckets *buckets, size_t lock, int64_t now)
{
    uint64_t count = 0;
    for (size_t at = lock; at < BUCKETS_SETS; at += BUCKETS_LOCKS)
        for (size_t i = 0; i < BUCKETS_WAYS; i++)
            count += full_at_of(&buckets->sets[at][i]) > now;
    return count;
}

struct token_counts token_buckets_count(struct token_buckets *buckets, int64_t now)
{
    struct token_counts counts = {0};
    for (size_t lock = 0; lock < BUCKETS_LOCKS; lock++) {
        pthread_mutex_lock(&buckets->locks[lock].mutex);
        counts.taken += buckets->locks[lock].taken;
        counts.sources += count_sources(buckets, lock, now);
        pthread_mutex_unlock(&buckets->locks[lock].mutex);
    }
    return counts;
}

struct token_sums token_buckets_sums(struct token_buckets *buckets)
{
    struct token_sums sums = {0};
    for (size_t lock = 0; lock < BUCKETS_LOCKS; lock++) {
        pthread_mutex_lock(&buckets->locks[lock].mutex);
        sums.taken += buckets->locks[lock].taken;
        sums.waited_for += buckets->locks[lock].waited_for;
        pthread_mutex_unlock(&buckets->locks[lock].mutex);
    }
    return sums;
}
