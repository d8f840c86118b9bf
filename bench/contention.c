/* What threads cost each other where requests meet: ns of CPU per operation with 1, 2, 4... threads at once, on the structures that
 * workers share or have each for itself, and on the plain shapes that those are compared with. CPU time, so that threads beyond the
 * cores only wait. Prints a table; the column of one thread is the price of the code, what is above it the price of sharing.
 *
 *     build/bench/contention [threads...]        default: 1 2 4 8 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/time.h"
#include "middleware/breaker.h"
#include "middleware/in_flight_counts.h"
#include "middleware/token_buckets.h"
#include "upstream/balancer.h"
#include "upstream/measure.h"
#include "upstream/server.h"

#define THREADS_MAX 64
#define ROUNDS 5
#define BATCH 1024
#define LONG_ENOUGH (60 * TIME_MS)      /* of CPU, for one thread in one round */

static struct bounds {
    struct meter_bounds meter;
} bounds = {{.count = 2, .ends = {TIME_MS, TIME_S}}};

/* What all threads of a round meet in. */
static struct shared {
    _Atomic uint64_t counter;
    _Atomic uint64_t *packed;           /* by thread, side by side */
    _Atomic uint64_t *apart[THREADS_MAX];
    struct server *server, *weighed;
    struct target targets[2], weighed_targets[2];
    struct target_set set, weighed_set;
    void *turns[THREADS_MAX], *least[THREADS_MAX];
    struct meter *meter;
    struct token_buckets *buckets;
    struct in_flight_counts *in_flight;
    struct breaker *breaker;
    struct breaker_rule rule;
} shared;

/* ---- the operations, a batch at a time ---- */

static void add_to_one(unsigned thread)
{
    for (unsigned i = 0; i < BATCH; i++)
        atomic_fetch_add_explicit(&shared.counter, 1, memory_order_relaxed);
}

static void count_in(_Atomic uint64_t *number)
{
    for (unsigned i = 0; i < BATCH; i++)
        atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + 1, memory_order_relaxed);
}

static void count_side_by_side(unsigned thread)
{
    count_in(&shared.packed[thread]);
}

static void count_apart(unsigned thread)
{
    count_in(shared.apart[thread]);
}

static void ask(struct server *server, unsigned thread)
{
    for (unsigned i = 0; i < BATCH; i++) {
        bool weighed = server_begin(server, thread);
        measure_response(server, thread, 1000, TIME_S);
        server_end(server, thread, weighed);
    }
}

static void ask_server(unsigned thread)
{
    ask(shared.server, thread);
}

static void ask_weighed_server(unsigned thread)
{
    ask(shared.weighed, thread);
}

static void pick(const char *name, const struct target_set *targets, void *state)
{
    static const struct ip nobody;
    const struct balancer_type *type = balancer_find(str_from(name));
    struct pick wish = {.targets = targets, .client = &nobody, .now = TIME_S};
    for (unsigned i = 0; i < BATCH; i++)
        if (type->choose(state, &wish) < 0)
            abort();
}

static void pick_in_turn(unsigned thread)
{
    pick("wrr", &shared.set, shared.turns[thread]);
}

static void pick_least_loaded(unsigned thread)
{
    pick("leastConn", &shared.weighed_set, shared.least[thread]);
}

static void count_in_meter(unsigned thread)
{
    struct meter_sample sample = {.kind = METER_KIND(200, 1, 0), .duration = TIME_MS / 2, .bytes_out = 10};
    for (unsigned i = 0; i < BATCH; i++)
        meter_count(shared.meter, thread, &sample);
}

static void take_tokens(uint64_t key, uint64_t spread)
{
    static const struct token_rate rate = {.interval = 1, .span = TIME_S, .longest_wait = 0};
    for (unsigned i = 0; i < BATCH; i++)
        token_buckets_take(shared.buckets, &rate, key + (i & 63) * spread, TIME_S + i * 1000);
}

static void limit_one_source(unsigned thread)
{
    take_tokens(UINT64_C(0x9e3779b97f4a7c15), 0);
}

static void limit_many_sources(unsigned thread)
{
    take_tokens((thread + 1) * UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xd6e8feb86659fd93));
}

static void run_one_source(unsigned thread)
{
    for (unsigned i = 0; i < BATCH; i++)
        if (in_flight_counts_enter(shared.in_flight, UINT64_C(0x9e3779b97f4a7c15), UINT64_MAX))
            in_flight_counts_leave(shared.in_flight, UINT64_C(0x9e3779b97f4a7c15));
}

static void watch_by_breaker(unsigned thread)
{
    enum breaker_change change;
    for (unsigned i = 0; i < BATCH; i++)
        if (breaker_admit(shared.breaker, &shared.rule, TIME_S, &change))
            breaker_record(shared.breaker, &shared.rule, TIME_S, 200, false, TIME_MS);
}

static const struct operation {
    const char *name;
    void (*run)(unsigned thread);
} operations[] = {
    {"one counter, locked add", add_to_one},
    {"a counter each, side by side", count_side_by_side},
    {"a counter each, lines apart", count_apart},
    {"server: begin, measure, end", ask_server},
    {"the same, weighed (leastConn)", ask_weighed_server},
    {"pick of two: wrr", pick_in_turn},
    {"pick of two: leastConn", pick_least_loaded},
    {"meter: count an answer", count_in_meter},
    {"rateLimit: 64 sources a thread", limit_many_sources},
    {"rateLimit: one source for all", limit_one_source},
    {"inFlightReq: one source for all", run_one_source},
    {"circuitBreaker: admit, record", watch_by_breaker},
};

/* ---- running them ---- */

static struct round {
    const struct operation *operation;
    pthread_barrier_t start;
    _Atomic bool over;
    double ns[THREADS_MAX];
} this_round;

static int64_t cpu_time(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * TIME_S + used.tv_nsec;
}

/* Else the scheduler may let those that wait for each other share a core. */
static void keep_to_core(unsigned thread)
{
    cpu_set_t core;
    CPU_ZERO(&core);
    CPU_SET(thread % (unsigned)sysconf(_SC_NPROCESSORS_ONLN), &core);
    pthread_setaffinity_np(pthread_self(), sizeof(core), &core);
}

/* Until the first has had its time: so all are at it together. */
static void *work(void *argument)
{
    unsigned thread = (unsigned)(uintptr_t)argument;
    keep_to_core(thread);
    pthread_barrier_wait(&this_round.start);
    int64_t began = cpu_time(), used = 0;
    uint64_t batches = 0;
    do {
        this_round.operation->run(thread);
        batches++;
        used = cpu_time() - began;
        if (used >= LONG_ENOUGH)
            atomic_store(&this_round.over, true);
    } while (!atomic_load_explicit(&this_round.over, memory_order_relaxed));
    this_round.ns[thread] = (double)used / (double)(batches * BATCH);
    return NULL;
}

static double run_round(const struct operation *operation, unsigned threads)
{
    pthread_t ids[THREADS_MAX];
    double sum = 0;
    this_round.operation = operation;
    atomic_store(&this_round.over, false);
    pthread_barrier_init(&this_round.start, NULL, threads);
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, work, (void *)(uintptr_t)i) != 0)
            abort();
    for (unsigned i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    pthread_barrier_destroy(&this_round.start);
    for (unsigned i = 0; i < threads; i++)
        sum += this_round.ns[i];
    return sum / threads;
}

static int by_size(const void *a, const void *b)
{
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

/* The middle of some rounds: on a busy machine threads meet less in some of them. */
static double measure(const struct operation *operation, unsigned threads)
{
    double rounds[ROUNDS];
    for (unsigned i = 0; i < ROUNDS; i++)
        rounds[i] = run_round(operation, threads);
    qsort(rounds, ROUNDS, sizeof(rounds[0]), by_size);
    return rounds[ROUNDS / 2];
}

static struct target target_at(const char *service, const char *url, bool weighed)
{
    struct server *server = server_get(str_from(service), str_from(url));
    if (weighed)
        server_weigh(server);
    return (struct target){.server = server, .weight = 1};
}

static void *state_of(const char *name, const struct target_set *targets, unsigned thread)
{
    const struct balancer_type *type = balancer_find(str_from(name));
    void *state = memory_zalloc_apart(balancer_state_size(type, targets));
    balancer_init(type, state, targets, thread);
    return state;
}

static void make_shared(void)
{
    server_count_by(THREADS_MAX, &bounds.meter);
    for (unsigned i = 0; i < 2; i++) {
        const char *url = i == 0 ? "http://192.0.2.1" : "http://192.0.2.2";
        shared.targets[i] = target_at("plain@bench", url, false);
        shared.weighed_targets[i] = target_at("weighed@bench", url, true);
    }
    shared.server = shared.targets[0].server;
    shared.weighed = shared.weighed_targets[0].server;
    shared.set = (struct target_set){.items = shared.targets, .count = 2, .tiers = 1};
    shared.weighed_set = (struct target_set){.items = shared.weighed_targets, .count = 2, .tiers = 1};
    shared.packed = memory_zalloc_apart(THREADS_MAX * sizeof(shared.packed[0]));
    for (unsigned i = 0; i < THREADS_MAX; i++) {
        shared.apart[i] = memory_zalloc_apart(sizeof(*shared.apart[i]));
        shared.turns[i] = state_of("wrr", &shared.set, i);
        shared.least[i] = state_of("leastConn", &shared.weighed_set, i);
    }
    shared.meter = meter_get(S("router|bench"), THREADS_MAX, &bounds.meter);
    shared.buckets = memory_zalloc_apart(sizeof(*shared.buckets));
    token_buckets_init(shared.buckets);
    shared.in_flight = memory_zalloc_apart(sizeof(*shared.in_flight));
    in_flight_counts_init(shared.in_flight);
    shared.breaker = memory_zalloc_apart(sizeof(*shared.breaker));
    breaker_init(shared.breaker);
    struct arena *arena = memory_zalloc(sizeof(*arena));      /* the rule's, as long as the process */
    struct str error;
    size_t offset;
    arena_init(arena, ARENA_UNLIMITED);
    if (!expression_parse(S("ResponseCodeRatio(500, 600, 0, 600) > 0.3"), breaker_functions, arena, &shared.rule.condition,
                          &error, &offset))
        abort();
    shared.rule.check_period = 100 * TIME_MS;
}

int main(int count, char **words)
{
    static const char *const usual[] = {"1", "2", "4", "8"};
    const char *const *wanted = count > 1 ? (const char *const *)words + 1 : usual;
    unsigned columns = count > 1 ? (unsigned)count - 1 : 4;
    make_shared();
    printf("| ns of CPU per operation, threads: |");
    for (unsigned i = 0; i < columns; i++)
        printf(" %s |", wanted[i]);
    printf("\n|---|");
    for (unsigned i = 0; i < columns; i++)
        printf("---|");
    for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        printf("\n| %s |", operations[i].name);
        for (unsigned j = 0; j < columns; j++) {
            unsigned threads = (unsigned)strtoul(wanted[j], NULL, 10);
            if (threads < 1 || threads > THREADS_MAX)
                return 2;
            printf(" %.1f |", measure(&operations[i], threads));
            fflush(stdout);
        }
    }
    printf("\n");
    return 0;
}
