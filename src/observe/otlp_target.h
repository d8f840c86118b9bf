/* One collector's queue, and what its thread does with it. Private to observe/otlp.
 *
 * Threading: what stands under "shared" is for any thread, everything else is the exporter's. */
#ifndef OBSERVE_OTLP_TARGET_H
#define OBSERVE_OTLP_TARGET_H

#include <stdatomic.h>

#include "base/list.h"
#include "observe/otlp_sender.h"

struct otlp_target {
    struct list link;                 /* of the exporter's targets, under its mutex */
    /* shared */
    _Atomic unsigned refs;
    _Atomic(struct otlp_batch *) inbox;           /* newest first */
    _Atomic uint64_t waiting;                     /* bytes, those under way among them */
    _Atomic uint64_t overflowed;                  /* items that there was no room for */
    enum otlp_signal signal;
    uint64_t limit;
    const char *limit_option;
    enum otlp_encoding encoding;
    char *key;
    /* the exporter's */
    struct otlp_sender *sender;
    struct otlp_batch *queue, **queue_end;        /* oldest first */
    struct otlp_batch *loaded;        /* whose turn it is, as it goes over the wire; NULL: there is none */
    bool sending;                     /* it is under way */
    unsigned failures;                /* in a row */
    int64_t due_at;                   /* not before */
    int64_t closed_at;                /* nobody holds it since; 0: somebody does */
    bool troubled;                    /* the log was told of a failure, and not yet of its end */
    int64_t told_at;
    uint64_t told_overflowed;
    uint64_t dropped;                 /* items, of this target */
};

struct otlp_target *otlp_target_new(const struct otlp_settings *settings, char *key);
void otlp_target_free(struct otlp_target *target);

/* Any thread. False: no room, it is released and counted. *ret_first: the exporter does not know yet that something came. */
bool otlp_target_add(struct otlp_target *target, struct otlp_batch *batch, bool *ret_first);

/* Takes what came, drops what is too old, begins to send if it is time. `hurry`: whatever back-off says. */
void otlp_target_tend(struct otlp_target *target, CURLM *multi, int64_t now, bool hurry);
/* Moves on what libcurl does not have; true: it has come to an end, so the next is due. */
bool otlp_target_advance(struct otlp_target *target, CURLM *multi, int64_t now, bool last);
/* Its request has come to an end. `last`: what failed is not tried again. */
void otlp_target_finished(struct otlp_target *target, CURLM *multi, CURLcode code, int64_t now, bool last);
/* Breaks off and drops everything. */
void otlp_target_give_up(struct otlp_target *target, CURLM *multi);
bool otlp_target_idle(const struct otlp_target *target);
/* Monotonic ns at which it is to be tended although nothing happens. */
int64_t otlp_target_next(const struct otlp_target *target);

#endif
