/* A change to a body on its way: compression, counting, holding back. Filters stand in a row inside a relay.
 *
 * A filter takes what it likes off `in` and appends to `out`; it must take everything when `end` is true and then
 * write its tail. It may keep bytes back (its own memory, bounded). With `out` over CHUNK_LARGE_SIZE * 4 it should stop taking.
 *
 * Work that takes long is done in steps of about 0.2 ms, because others wait for the worker meanwhile: a filter that has
 * more to take or to give sets `more` and is asked again, in this turn of the loop or in the next one.
 * Threading: the worker's. Memory: the exchange's arena, or freed by `release`. */
#ifndef EXCHANGE_FILTER_H
#define EXCHANGE_FILTER_H

#include "base/chunkq.h"
#include "base/status.h"

struct filter {
    struct filter *next;
    /* OK, or why the body cannot go on. */
    enum status (*process)(struct filter *filter, struct chunkq *in, struct chunkq *out, bool end);
    /* What is held back is pushed out although more will come (event streams); may be NULL. */
    enum status (*flush)(struct filter *filter, struct chunkq *out);
    void (*restart)(struct filter *filter);      /* of a request: the same body comes again from its start; may be NULL */
    void (*release)(struct filter *filter);      /* may be NULL */
    void (*late)(struct filter *filter);         /* of the relay's `late`: before the sink is told of the end */
    struct chunkq out;                           /* the relay's: between this filter and the next */
    bool more;                                   /* the filter's: it stopped early, also at the end, and is to be asked again */
    bool waits;                                  /* the filter's, with `more`: not before exchange_resume was called */
    bool ended;                                  /* the relay's */
};

#endif
