#include "upstream/measure.h"

#define NEW_PART 8                              /* a new measure counts an eighth */
#define FAILURE_SHORTEST INT64_C(100000000)
#define FAILURE_LONGEST INT64_C(10000000000)

/* One average and when it was made. */
struct measure {
    _Atomic int64_t *average, *at;
};

static struct measure measure_of(struct server *server, unsigned worker)
{
    if (atomic_load_explicit(&server->is_weighed, memory_order_relaxed))
        return (struct measure){&server->response_ewma, &server->measured_at};
    struct server_tally *tally = server_tally(server, worker);
    return (struct measure){&tally->response_ewma, &tally->measured_at};
}

static void set(struct measure measure, int64_t average, int64_t now)
{
    atomic_store_explicit(measure.average, average > 0 ? average : 1, memory_order_relaxed);
    atomic_store_explicit(measure.at, now, memory_order_relaxed);
}

static int64_t expected(const _Atomic int64_t *average_of, const _Atomic int64_t *at, int64_t now)
{
    int64_t average = atomic_load_explicit(average_of, memory_order_relaxed);
    if (average == 0)
        return 0;
    int64_t age = now - atomic_load_explicit(at, memory_order_relaxed);
    if (age < MEASURE_HALF_LIFE)
        return average;
    int64_t halvings = age / MEASURE_HALF_LIFE;
    average = halvings < 63 ? average >> halvings : 0;
    return average > 0 ? average : 1;
}

void measure_response(struct server *server, unsigned worker, int64_t first_byte, int64_t now)
{
    struct measure measure = measure_of(server, worker);
    int64_t old = expected(measure.average, measure.at, now);
    if (first_byte < 1)
        first_byte = 1;
    set(measure, old == 0 ? first_byte : old + (first_byte - old) / NEW_PART, now);
}

void measure_failure(struct server *server, unsigned worker, int64_t now)
{
    struct measure measure = measure_of(server, worker);
    int64_t twice = expected(measure.average, measure.at, now) * 2;
    if (twice < FAILURE_SHORTEST)
        twice = FAILURE_SHORTEST;
    set(measure, twice < FAILURE_LONGEST ? twice : FAILURE_LONGEST, now);
}

int64_t measure_expected(const struct server *server, int64_t now)
{
    return expected(&server->response_ewma, &server->measured_at, now);
}

int64_t measure_shown(const struct server *server)
{
    int64_t average = atomic_load_explicit(&server->response_ewma, memory_order_relaxed);
    int64_t latest = atomic_load_explicit(&server->measured_at, memory_order_relaxed);
    for (unsigned i = 0; i < server->tally_count; i++) {
        const struct server_tally *tally = atomic_load_explicit(&server->tallies[i], memory_order_acquire);
        int64_t at = tally != NULL ? atomic_load_explicit(&tally->measured_at, memory_order_relaxed) : 0;
        if (at > latest) {
            average = atomic_load_explicit(&tally->response_ewma, memory_order_relaxed);
            latest = at;
        }
    }
    return average;
}
