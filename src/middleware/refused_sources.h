/* Who was refused most by a limiter: a few sources with their counts, for people. Only refusals come by here.
 *
 * Of more sources than there is room for, one that comes anew takes the place of the one with the fewest refusals and goes on from
 * its count, so who is refused often is never missed ("space saving"; counts may be too high, never too low).
 * Threading: any. Who is among them is counted by one locked add; a newcomer takes a short lock. */
#ifndef MIDDLEWARE_REFUSED_SOURCES_H
#define MIDDLEWARE_REFUSED_SOURCES_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/json.h"

#define REFUSED_SOURCES_MAX 16
#define REFUSED_SOURCE_TEXT 64        /* bytes; longer ones are cut */

struct refused_sources {
    pthread_mutex_t lock;             /* of newcomers */
    struct refused_source {
        _Atomic uint64_t key, count;  /* count 0: nobody yet. All counts together are all refusals ever */
        _Atomic int64_t at;           /* monotonic ns of the last one */
        unsigned char len;
        char text[REFUSED_SOURCE_TEXT];
    } items[REFUSED_SOURCES_MAX];
};

/* In place; `sources` is zeroed. */
void refused_sources_init(struct refused_sources *sources);
void refused_sources_release(struct refused_sources *sources);
/* Counts a refusal of a source that is among them; false: it is not, and noting it takes its words. */
bool refused_sources_count(struct refused_sources *sources, uint64_t key, int64_t now);
void refused_sources_note(struct refused_sources *sources, uint64_t key, struct str text, int64_t now);
/* How many were refused ever. */
uint64_t refused_sources_total(struct refused_sources *sources);
/* Members "refused" and "mostRefused": [{source, count, secondsAgo}], the most refused first. */
void refused_sources_report(struct refused_sources *sources, int64_t now, struct json *json);

#endif
