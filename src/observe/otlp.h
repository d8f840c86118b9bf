/* Telemetry on its way to OpenTelemetry collectors (OTLP 1.x, https://opentelemetry.io/docs/specs/otlp/): over HTTP as protobuf
 * or JSON, or over gRPC. One thread of its own for the process, which starts with the first target, sends what others hand
 * over by libcurl, and tries again when the collector cannot take it (429, 502, 503, 504, no connection), later each
 * time and not before Retry-After. What a target's queue has no room for, what a collector refuses and what is older than five
 * minutes is dropped and counted; one line a minute says why and what to do.
 *
 * Ownership: a target is counted; targets of the same options are one target, so a reload keeps the queue. When the last
 * reference is given back what waits is still sent (for ten seconds at most). A batch is handed over with its memory.
 * Threading: otlp_target_get and otlp_stop on the control thread; everything else on any thread, without a lock. */
#ifndef OBSERVE_OTLP_H
#define OBSERVE_OTLP_H

#include "base/diag.h"
#include "base/text.h"
#include "model/observability.h"

enum otlp_signal { OTLP_TRACES, OTLP_METRICS, OTLP_SIGNALS };

struct otlp_settings {
    enum otlp_signal signal;
    const struct otlp_http *http;     /* both NULL: HTTP to https://localhost:4318 with the signal's path */
    const struct otlp_grpc *grpc;     /* goes before http where both are there */
    int64_t queue_limit;              /* bytes that may wait */
    const char *limit_option;         /* how a user raises it ("tracing.queueLimit"), a literal; NULL: he cannot */
};

struct otlp_target;

/* The target with these options, made when there is none; copies what it needs. NULL after errors in `diag`: a file of `tls`
 * that cannot be read, a header field that is none. */
struct otlp_target *otlp_target_get(const struct otlp_settings *settings, struct diag *diag);
struct otlp_target *otlp_target_ref(struct otlp_target *target);
void otlp_target_unref(struct otlp_target *target);               /* NULL: nothing */
/* Adds what tells targets apart: settings with the same description get the same target. */
void otlp_target_describe(const struct otlp_settings *settings, struct text *out);
/* What payloads for it are to be written in; gRPC always takes protobuf. */
enum otlp_encoding otlp_target_encoding(const struct otlp_target *target);

/* One Export request. The struct stands in memory of the sender's. */
struct otlp_batch {
    struct otlp_batch *next;          /* the exporter's, like the next */
    int64_t handed_over_at;
    size_t size;                      /* bytes that count against the limit */
    unsigned items;                   /* spans or data points: what is counted as sent or dropped */
    struct text body;                 /* an Export...ServiceRequest, in otlp_target_encoding; compressed or framed in here */
    /* Once, on any thread: it is sent, or dropped. */
    void (*release)(struct otlp_batch *batch);
};

/* Hands a batch over; false: there was no room (or the process ends), it is released and counted as dropped. Never waits. */
bool otlp_push(struct otlp_target *target, struct otlp_batch *batch);
/* The same for a body that is ready; takes the text's memory over (it is empty afterwards). */
bool otlp_send(struct otlp_target *target, struct text *body, unsigned items);
/* Items that were lost before they became a batch. */
void otlp_count_dropped(enum otlp_signal signal, uint64_t items);

/* Since the process began. */
struct otlp_counts {
    uint64_t sent, dropped;           /* items that the collector took, and did not get */
    uint64_t failures;                /* requests that failed, those tried again among them */
    uint64_t waiting;                 /* bytes in queues */
};
struct otlp_counts otlp_counts(enum otlp_signal signal);

/* The process ends: what waits gets two seconds, then the thread is gone. Who pushes later is told false. */
void otlp_stop(void);

#endif
