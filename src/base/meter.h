/* What is counted of one thing that requests pass: an entrypoint, a router, a service, a server. How many, how long, how many
 * bytes, how they ended.
 *
 * Each worker counts in a tally of its own (made at its first request there), with plain adds; whoever reads sums the tallies.
 * A meter is known by its key and lives as long as a graph or a server uses it, so counts survive reloads.
 *
 * A joint is a meter for what passes two things at once, a router of an entrypoint, a server of a service: what is counted in
 * it is seen in both, for the price of one. When it goes, both keep what it had.
 *
 * Threading: meter_count, meter_fail and meter_retry on the worker whose index is given; reading on any thread, at any time (the
 * numbers are relaxed atomics: each is right, together they may be a request apart). meter_get and meter_join on the control thread;
 * references may be given back on any. Reading holds a lock that no worker waits for (meter_try_join). */
#ifndef BASE_METER_H
#define BASE_METER_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/status.h"

/* Latencies: four buckets to each doubling, from 2^-14 s (61 us) to 2^6 s (64 s), those of a native histogram with schema 2:
 * bucket i holds what is longer than meter_bucket_end(i - 1) and no longer than meter_bucket_end(i). The first holds all that is
 * shorter, the last all that is longer. */
#define METER_BUCKETS 82
#define METER_BOUNDS_MAX 24        /* of a metric's own coarse buckets */
#define METER_CELLS_MAX 256        /* kinds of answers that are told apart; what comes beyond shares the last one */

/* The kind of an answer; what a kind means (status, method, protocol) is the caller's. */
#define METER_KIND(status, method, protocol) ((uint32_t)(status) << 16 | (uint32_t)(method) << 8 | (uint32_t)(protocol))
#define METER_KIND_OTHER UINT32_MAX

struct meter_bounds {
    unsigned count;
    int64_t ends[METER_BOUNDS_MAX + 1];   /* ns, ascending; a last bucket without end follows */
};

struct meter_tally;                       /* one worker's; meter.c */

struct meter {
    _Atomic unsigned refs;
    uint16_t workers;
    bool joint;
    const struct meter_bounds *bounds;    /* the registry's, which has each set once */
    _Atomic(struct meter_tally *) tallies[];      /* by worker, and one more but in joints; NULL: nothing was counted there */
};

/* The meter with this key, bounds and number of workers, made when there is none; one reference is the caller's. */
struct meter *meter_get(struct str key, unsigned workers, const struct meter_bounds *bounds);
/* The joint of two meters (no joints) with the same bounds and number of workers, made when there is none; one reference is the
 * caller's. `other` has few joints, a router's or a server's: they are looked through. */
struct meter *meter_join(struct meter *one, struct meter *other);
/* The same for a worker, which waits for nobody: NULL when somebody is reading or joining just now. */
struct meter *meter_try_join(struct meter *one, struct meter *other);
struct meter *meter_ref(struct meter *meter);
void meter_unref(struct meter *meter);            /* NULL: nothing */

/* One that has ended. */
struct meter_sample {
    uint32_t kind;
    int64_t duration;                     /* ns */
    uint64_t bytes_in, bytes_out;         /* of bodies */
};
void meter_count(struct meter *meter, unsigned worker, const struct meter_sample *sample);
/* The same in two meters (other: may be NULL). */
void meter_count_both(struct meter *one, struct meter *other, unsigned worker, const struct meter_sample *sample);
/* One that did not go as it should, counted besides. */
void meter_fail(struct meter *meter, unsigned worker, enum status reason);
/* One that was tried again at a server. */
void meter_retry(struct meter *meter, unsigned worker, unsigned times);

/* ---- reading ---- */

struct meter_sum {
    uint64_t count, errors;               /* errors: kinds with a status of 500 and above (not METER_KIND_OTHER) */
    uint64_t refused;                     /* kinds with a status of 400 to 499 */
    uint64_t bytes_in, bytes_out, retries;
    uint64_t duration;                    /* ns, of all together */
    uint64_t buckets[METER_BUCKETS];
};
/* How many were counted; cheap, for telling whether anything changed. */
uint64_t meter_total(const struct meter *meter);
/* Adds to *sum. */
void meter_sum(const struct meter *meter, struct meter_sum *sum);
/* Adds to failures[STATUS_COUNT]. */
void meter_failures(const struct meter *meter, uint64_t *failures);

struct meter_cell_sum {
    uint32_t kind;
    uint64_t count, duration, bytes_in, bytes_out;
    uint64_t buckets[METER_BOUNDS_MAX + 1];       /* by the meter's bounds; not cumulated */
};
/* The kinds that came, summed over the workers, by kind; gives how many. */
size_t meter_cells(const struct meter *meter, struct arena *arena, struct meter_cell_sum **ret_cells);

/* The latency (ns) that `part` (0..1) of what lies in the buckets does not exceed, interpolated; 0 where there is nothing. */
int64_t meter_quantile(const uint64_t buckets[METER_BUCKETS], double part);
unsigned meter_bucket_of(int64_t ns);
/* Seconds; infinite for the last. */
double meter_bucket_end(unsigned bucket);

#endif
