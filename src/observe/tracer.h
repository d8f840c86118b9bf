/* Tracing as a configuration wants it: which traces are kept, and the spans' way to the exporter (otlp.h).
 *
 * Ownership: counted; each snapshot that traces holds one, and so does each batch. Threading: shared by all workers and const; each
 * worker writes into a batch of its own, which is handed over when it is full or a second old. Spans that the exporter has no room for are
 * dropped and counted; a request never waits for them. */
#ifndef OBSERVE_TRACER_H
#define OBSERVE_TRACER_H

#include "base/diag.h"
#include "model/observability.h"
#include "net/worker.h"
#include "observe/span_record.h"

#define TRACER_SPARES 4

struct tracer {
    _Atomic unsigned refs;
    struct arena arena;
    char *key;                            /* equal keys, equal tracers */
    struct otlp_target *target;
    enum otlp_encoding encoding;
    size_t batch_room;                    /* bytes of a batch: several fit the queue */
    size_t batch_full;                    /* one that has so many is handed over */
    _Atomic(char *) spares[TRACER_SPARES];      /* memory of batches that were sent: batch_room bytes and those that a text needs */
    uint64_t sampling_limit;              /* for trace_is_sampled */
    bool add_internals;
    struct str service_name;
    struct strmap resource_attributes;
    struct strs request_headers, response_headers, safe_query;
};

/* Copies what it needs. NULL after errors in `diag`. Control thread. */
struct tracer *tracer_new(const struct tracing_config *config, struct diag *diag);
struct tracer *tracer_ref(struct tracer *tracer);
void tracer_unref(struct tracer *tracer);
/* A reload keeps the one that runs. */
bool tracer_matches(const struct tracer *tracer, const struct tracing_config *config);

/* A request's spans, into the worker's batch. */
void tracer_add(struct tracer *tracer, struct worker *worker, const struct span_record *record);
/* Before worker_release: hands over what there is. */
void tracer_worker_release(struct worker *worker);

#endif
