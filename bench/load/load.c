// The load generator: one thread, one epoll, a fixed number of connections, and every answer
// checked for its status and size. Against a proxy it is the client; it prints one line of JSON
// with what happened.

#include "load.h"

#include "connection.h"
#include "histogram.h"
#include "plan.h"
#include "tls.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define SECOND UINT64_C(1000000000)
#define GRACE (10 * SECOND) // how long an answer may be overdue at the end

struct counters count;
const struct protocol *protocol;
static struct histogram latencies;
// A ring of places for a request, each a connection's number: whoever waited longest goes first.
static unsigned *idle, idle_head, idle_count, places;
static uint64_t start, begun, done, under_way;

uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

unsigned next_host(void)
{
    static uint64_t turns;
    return (unsigned)(turns++ % plan.hosts);
}

static void put_idle(struct connection *c)
{
    idle[(idle_head + idle_count++) % places] = (unsigned)(c - connections);
}

void request_answered(struct connection *c, uint64_t started)
{
    histogram_record(&latencies, now() - started);
    done++;
    under_way--;
    if (!plan.hold)
        put_idle(c);
}

void request_failed(struct connection *c, uint64_t *counter)
{
    (*counter)++;
    under_way--;
    put_idle(c);
}

static bool is_over(uint64_t time)
{
    uint64_t wanted = plan.hold ? plan.connections : plan.requests;
    if (wanted && begun >= wanted)
        return true;
    return plan.seconds > 0 && time >= start + (uint64_t)(plan.seconds * (double)SECOND);
}

static uint64_t due(void)
{
    return start + (uint64_t)((double)begun / plan.rate * (double)SECOND);
}

// Begins what may be begun now. With a rate, a request that found no idle connection waits, and its
// wait counts.
static void begin_requests(void)
{
    uint64_t time = now();
    while (idle_count > 0 && !is_over(time)) {
        if ((plan.rate > 0 && due() > time) || (plan.in_flight && under_way >= plan.in_flight))
            return;
        struct connection *c = &connections[idle[idle_head]];
        idle_head = (idle_head + 1) % places;
        idle_count--;
        uint64_t started = plan.rate > 0 ? due() : time;
        begun++;
        under_way++;
        protocol->begin(c, started);
        time = now();
    }
}

static void pump(void)
{
    begin_requests();
    if (protocol->flush)
        protocol->flush();
}

static void turn(void)
{
    uint64_t time = now(), wait = SECOND / 10;
    if (plan.rate > 0 && idle_count > 0 && due() < time + wait)
        wait = due() > time ? due() - time : 0;
    connections_turn(wait, pump);
}

static void report(double seconds)
{
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {{"bytes", count.bytes},
                  {"body", count.body},
                  {"lost", count.lost},
                  {"broken", count.broken},
                  {"refused", count.refused},
                  {"bad_handshake", count.handshake},
                  {"not_resumed", count.full},
                  {"bad_status", count.status},
                  {"bad_size", count.size},
                  {"bad_encoding", count.encoding},
                  {"stuck", under_way},
                  {"other_status", count.other},
                  {"reopened", count.reopened}};
    static const struct {
        const char *name;
        double share;
    } marks[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};
    printf("{\"requests\": %llu, \"seconds\": %.6f", (unsigned long long)done, seconds);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        printf(", \"%s\": %llu", counts[i].name, (unsigned long long)counts[i].value);
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        printf(", \"%s\": %.1f", marks[i].name,
               (double)histogram_percentile(&latencies, marks[i].share) / 1000);
    printf(", \"max\": %.1f}\n", (double)latencies.largest / 1000);
    fflush(stdout);
}

static void prepare(void)
{
    struct rlimit limit;
    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    protocol = plan.streams ? &http2 : &http1;
    connections_prepare(plan.connections);
    places = plan.connections * (plan.streams ? plan.streams : 1);
    idle = calloc(places, sizeof(*idle));
    if (!idle) {
        perror("load");
        exit(1);
    }
    for (unsigned i = 0; i < places; i++)
        put_idle(&connections[i % plan.connections]);
    if (plan.streams)
        http2_prepare();
    if (plan.tls)
        tls_prepare();
}

int main(int argc, char **argv)
{
    plan_parse(argc, argv);
    prepare();
    start = now();
    uint64_t last_progress = start, seen = 0;
    pump();
    while (under_way > 0 || !is_over(now())) {
        turn();
        pump();
        if (done != seen || under_way == 0)
            last_progress = now();
        seen = done;
        if (now() > last_progress + GRACE)
            break;
    }
    report((double)(now() - start) / (double)SECOND);
    // A held connection that the server closes counts as lost.
    if (plan.hold) {
        connections_hold();
        report((double)(now() - start) / (double)SECOND);
    }
    return 0;
}
