/* What the parts of a client's HTTP/1 connection share. Internal to proto/h1.
 *
 *     server.c     the connection's life: heads that come, limits of time, draining, lingering, the end
 *     stream.c     what the product asks of a stream: head, source, sink, finish */
#ifndef PROTO_H1_SERVING_H
#define PROTO_H1_SERVING_H

#include "proto/h1/parse.h"
#include "proto/h1/server.h"

enum { IDLE, READING_HEAD, STREAMING, LINGERING, CLOSED };

/* What a connection needs only while a request is under way; lives in the stream's arena. */
struct h1_active {
    struct h1_head head;
    struct h1_body_in body_in;
    struct h1_body_out body_out;
    struct chunkq out;
    uint64_t out_at_doubt;      /* stream.bytes_out when the client was last seen to have ended its direction */
    bool whole_at_doubt;        /* the body had been read by then */
    bool close;                 /* no further request on this connection */
    bool last;                  /* the client said so itself, and nothing belongs to this one that may still come */
    bool upgraded;
    bool final_head_queued;
    bool slow_head;             /* it did not come at once: counted as such while it is awaited */
};

/* The connection of a stream. */
static inline struct h1_server *h1_server_of(struct stream *stream)
{
    return stream->connection;
}

/* Lets the product ask the stream. */
void h1_stream_attach(struct stream *stream);

enum h1_stream_end {
    H1_REUSED,      /* the next request may follow, or is here */
    H1_CLOSES,      /* nothing may follow; whatever the client still sends is read away first */
    H1_UNREAD,      /* nor may it, and more of the body is on its way: that is read away first */
    H1_BROKEN       /* not all that was owed is out: a reset says so */
};

/* The stream and its memory are gone from the connection, which goes on as `end` says. `idle_limit` in ns, 0: none. */
void h1_server_stream_over(struct h1_server *connection, enum h1_stream_end end, int64_t idle_limit);

#endif
