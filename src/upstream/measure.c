#include "upstream/measure.h"

#define NEW_PART 8                              /* a new measure counts an eighth */
#define FAILURE_SHORTEST INT64_C(100000000)
#define FAILURE_LONGEST INT64_C(10000000000)

static void set(struct server *server, int64_t average, int64_t now)
{
    atomic_store_explicit(&server->response_ewma, average > 0 ? average : 1, memory_order_relaxed);
    atomic_store_explicit(&server->measured_at, now, memory_order_relaxed);
}

void measure_response(struct server *server, int64_t first_byte, int64_t now)
{
    int64_t old = measure_expected(server, now);
    if (first_byte < 1)
        first_byte = 1;
    set(server, old == 0 ? first_byte : old + (first_byte - old) / NEW_PART, now);
}

void measure_failure(struct server *server, int64_t now)
{
    int64_t twice = measure_expected(server, now) * 2;
    if (twice < FAILURE_SHORTEST)
        twice = FAILURE_SHORTEST;
    set(server, twice < FAILURE_LONGEST ? twice : FAILURE_LONGEST, now);
}

int64_t measure_expected(const struct server *server, int64_t now)
{
    int64_t average = atomic_load_explicit(&server->response_ewma, memory_order_relaxed);
    if (average == 0)
        return 0;
    int64_t age = now - atomic_load_explicit(&server->measured_at, memory_order_relaxed);
    if (age < MEASURE_HALF_LIFE)
        return average;
    int64_t halvings = age / MEASURE_HALF_LIFE;
    average = halvings < 63 ? average >> halvings : 0;
    return average > 0 ? average : 1;
}
