/* A body on its way: source -> filters -> bounded queue -> sink. One each way in an exchange.
 *
 * A full queue stops the reading (back-pressure). With a pace, what may go by now goes, by whichever way, and the rest waits: relay_pump
 * then says AGAIN and pace->until says when to come again. Without filters, plain bytes from 32 KiB up go from socket to
 * socket through a pipe, and a file's straight to the socket: they never enter the process.
 *
 * From a source that gives faster than it is looked at, bytes are gathered: facts come when there are RELAY_GATHER of them, and AGAIN with
 * gathers_until says when to look for fewer.
 *
 * Whoever could go on for long, because one side gives and the other takes as fast as bytes move, leaves the rest for the next turn
 * (loop_turn_is_long). A long body that comes up when the turn is long already is put off as a whole: many of them together would make
 * it longer still. Threading: the worker's. */
#ifndef EXCHANGE_RELAY_H
#define EXCHANGE_RELAY_H

#include "exchange/filter.h"
#include "exchange/pace.h"
#include "http/stream.h"
#include "net/worker.h"

#define RELAY_QUEUE_BYTES ((size_t)65536)       /* reading stops beyond */
#define RELAY_QUEUE_SLICES 32                   /* and beyond this: each of them may hold a whole buffer */
#define RELAY_SPLICE_FROM ((int64_t)32768)      /* bytes that are still to come for a pipe to pay */
#define RELAY_SLICE ((size_t)1 << 19)           /* through a pipe or of a file by one call, between two looks at the clock */

#define RELAY_GATHER (1 << 18)                  /* bytes that a fast source is given time to bring before the next look */

#define RELAY_ANY_LENGTH UINT64_MAX

enum relay_side { RELAY_NEITHER, RELAY_SOURCE, RELAY_SINK, RELAY_FILTER };

struct relay {
    struct body_source *source;
    struct body_sink *sink;
    struct filter *filters;
    struct worker *worker;
    const struct fields *trailers;      /* of the source's message, once it ended */
    struct chunkq queue;                /* read (and filtered), not yet written */
    struct chunkq raw;                  /* read, not yet filtered; used only with filters */
    struct worker_pipe pipe;            /* `in` is -1 while there is none */
    size_t in_pipe;
    uint64_t moved;                     /* body bytes that came from the source */
    uint64_t given;                     /* body bytes that the sink took: what filters made of them */
    uint64_t limit;                     /* the source may give no more (413); 0: none */
    uint64_t length;                    /* bytes after which the source has ended without being asked; RELAY_ANY_LENGTH */
    struct filter *late;                /* to be told when all but the end is given: for trailers; NULL: none */
    struct pace *pace;                  /* NULL: as fast as the sink takes it; its queue is released with the relay */
    int64_t pace_from;                  /* monotonic ns: since when the client has held it up; 0: it does not */
    uint64_t pace_moved;                /* of `moved`: before that */
    int64_t gathers_until;              /* monotonic ns: when to look again, if RELAY_GATHER bytes are not there before; 0: as they come */
    enum relay_side broken_side;        /* who failed */
    bool source_ended, done;
    bool filtering;                     /* filters have more to do with what was read */
    bool waits_for_filter;              /* one of them for something else than bytes, and says when it is there */
    bool tunnel;                        /* the owner's: plain bytes both ways, mostly in short messages */
    bool settled;                       /* a tunnel's: the last pump left nothing behind */
    bool stalled_on_sink;               /* the last pump ended because the sink was full */
    bool yielded;                       /* it ended because others must have their turn: no fact will come */
};

void relay_init(struct relay *relay, struct worker *worker, struct body_source *source, struct body_sink *sink);
void relay_release(struct relay *relay);
/* Appends to the row: the last added stands nearest to the sink. */
void relay_add_filter(struct relay *relay, struct filter *filter);
/* Moves what can be moved now. OK: all is done and flushed. AGAIN: wait for facts. Else what failed. */
enum status relay_pump(struct relay *relay);

#endif
