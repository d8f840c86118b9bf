/* What the three parts of a connection to a server share: its life (client.c), its requests (client_call.c), and what nghttp2
 * tells and asks (client_session.c).
 *
 * A call is one request. It is made by h2_client_open and ends when both have let go of it: the product, by release, and
 * nghttp2, by closing the stream.
 *
 *     bound, no head sent --send_head--> open --both sides ended or reset--> closed
 *       `stream` != NULL, id 0            id > 0                              `closed`
 *
 * release sets `stream` to NULL: a call that is not closed yet then lingers until its reset was sent, or until the server's end of
 * stream comes. A connection that closes closes all of its calls.
 *
 * nghttp2 forbids to be entered while it calls back (`inside`): what a callback learns is noted as facts and told when it has
 * returned; only interim responses are told at once, since the next head takes their place.
 * Threading: the worker's. */
#ifndef PROTO_H2_CLIENT_STATE_H
#define PROTO_H2_CLIENT_STATE_H

#include <nghttp2/nghttp2.h>

#include "proto/h2/client.h"
#include "proto/ws/handshake.h"

#define STREAM_OUT_BYTES ((size_t)65536)    /* of a body that wait for the server's window; beyond, its sink is full */
#define STREAM_OUT_SLICES 64                /* the same in slices: each of them may hold a whole buffer */
#define WIRE_OUT_BYTES ((size_t)131072)     /* framed and not yet taken by the kernel */

struct h2_call {
    struct list link;                   /* in the connection's calls */
    struct list ready;                  /* in its ready ones, while there are facts */
    struct h2_client *connection;
    struct upstream_stream *stream;     /* NULL: released */
    int32_t id;                         /* 0: no head was sent */
    unsigned facts;
    enum status failure;                /* why it broke; OK: it did not */
    struct chunkq in, out;
    const struct fields *trailers;      /* to be sent behind the body; NULL: none */
    struct fields *heading;             /* of the head that is being read now */
    uint64_t arrivals;                  /* of the connection, when the head was sent */
    uint32_t head_bytes, head_fields;   /* of the head that is being read */
    unsigned interims;
    enum method method;
    char accept[WS_ACCEPT_SIZE];        /* of a tunnel: what the server would have said in HTTP/1; or empty */
    bool head_complete, remote_ended;   /* the response's */
    bool out_ended;                     /* the request's end is in `out` */
    bool starved;                       /* nghttp2 waits for bytes of `out` */
    bool wants_room;                    /* a write or flush said AGAIN */
    bool tunnel;                        /* an extended CONNECT */
    bool reset_by_us, reset_by_server;
    bool closed;                        /* nghttp2 knows it no more */
};

struct h2_client {
    struct sock sock;
    struct worker *worker;
    nghttp2_session *session;           /* NULL once closed */
    const struct h2_client_owner *owner;
    void *owner_data;
    struct h2_client_settings settings;
    struct list calls, ready;
    struct h2_call *spare;              /* one that ended, for the next */
    struct timer timer;                 /* idle limit, signs of life, or a read that goes on */
    struct deferred flush, freeing;
    struct chunkq out;
    struct chunk *frames;               /* where frames of our own are written; NULL while nothing waits */
    struct chunk *input;                /* that is being read now */
    uint64_t arrivals;                  /* reads that brought something */
    uint64_t requests;                  /* ever bound */
    int64_t last_arrival, idle_since, ping_sent;      /* monotonic ns; ping_sent 0: none is under way */
    int64_t budget, budget_at;          /* frames that carry nothing: see client_session.c */
    size_t idle_bytes;                  /* that came since the last useful frame */
    unsigned bound, lingering;          /* calls with a stream; released ones that wait for the server's end of stream */
    unsigned open;                      /* calls that are not closed */
    unsigned window_credit;             /* window updates that DATA of ours has earned the server */
    bool inside;                        /* nghttp2 is calling back */
    bool going_away;                    /* takes no new streams, but serves the old ones */
    bool refused;                       /* it refused a stream: no new one until one has ended */
    bool settled;
    bool useful;                        /* something useful came in this read */
    bool changed;                       /* the owner is to be told: room, settings, a GOAWAY */
    bool read_again;                    /* the reading stopped to let others have their turn */
    bool mute;                          /* a frame was lost: whatever followed would be misread */
    bool closing;                       /* a callback wants it closed, for close_reason */
    bool closed;
    enum status close_reason;
};

/* client_session.c */
/* NULL without memory. */
nghttp2_session *h2_session_new(struct h2_client *connection);
/* Bytes that came, in the input chunk. */
void h2_client_feed(struct h2_client *connection, const char *data, size_t len);
/* Frames what there is to send, as far as the output has room. */
void h2_client_frame(struct h2_client *connection);
/* A frame that carries nothing: beyond the budget the connection is to be closed. */
void h2_session_spend(struct h2_client *connection);
void h2_call_submit(struct h2_call *call, const nghttp2_nv *items, size_t count, bool has_body);

/* client_call.c */
void h2_call_note(struct h2_call *call, unsigned facts);
/* Tells what was noted. */
void h2_client_tell(struct h2_client *connection);
/* It ended before its messages did; the first reason stays. */
void h2_call_fail(struct h2_call *call, enum status why);
/* nghttp2 has closed it, or the connection has. */
void h2_call_closed(struct h2_call *call);
/* After a last stream has gone, or a first one is there. */
void h2_client_set_timer(struct h2_client *connection);

/* client.c */
/* Something is to be sent: it leaves at the end of the turn. */
void h2_client_flush_soon(struct h2_client *connection);
/* From a callback: closed when it has returned. */
void h2_client_must_close(struct h2_client *connection, enum status why);

#endif
