/* What the parts of a client's HTTP/2 connection share. Internal to proto/h2.
 *
 *     server.c         the connection's life: bytes in, bytes out, limits of time, draining, the end
 *     session.c        nghttp2's callbacks: frames become notes on streams; and what nghttp2 frames goes to the output
 *     stream.c         what the product asks of a stream: head, source, sink, finish
 *     request_head.c   fields that come, their rules, and the request that they make
 *     response_head.c  a response or trailers as fields that go
 *     connect.c        extended CONNECT (RFC 8441)
 *     priority.c       priorities (RFC 9218)
 *     memory.c         what nghttp2 allocates
 *     budget.h         what a client may do that only costs us
 *
 * The rule that keeps callbacks apart: nghttp2's callbacks never call the product. They leave notes (h2_stream_note), and
 * h2_server_deliver reports them when no call of nghttp2 is on the stack. So the product may always submit and frame. */
#ifndef PROTO_H2_SERVING_H
#define PROTO_H2_SERVING_H

#include <nghttp2/nghttp2.h>

#include "proto/h2/budget.h"
#include "proto/h2/memory.h"
#include "proto/h2/server.h"

#define H2_OUT_BYTES ((size_t)262144)         /* framed output beyond which no DATA is framed and nothing is read */
#define H2_STREAM_BYTES ((size_t)65536)       /* of one response, not yet framed: a sink is full beyond it */
#define H2_FRAME_HEAD 9                       /* bytes (RFC 9113 4.1) */
#define H2_STREAM_SLICES 64                   /* the same in slices: each of them may hold a whole buffer */

/* A request head, or trailers, while fields come. Views into the stream's arena. */
struct h2_head {
    struct str method, scheme, authority, path, protocol;      /* data NULL: did not come */
    uint32_t bytes, count;            /* of all fields, those that were dropped too */
    uint16_t cookies, lengths, hosts, expects;
    bool regular_seen;                /* pseudo-fields may not follow (RFC 9113 8.3) */
    bool is_trailers;
    bool malformed;                   /* RFC 9113 8.1.1; `failure` is set */
    bool has_priority;
    enum status failure;              /* what HTTP itself refuses: gets an answer */
};

enum h2_draining {
    H2_SERVING,
    H2_NOTICED,                       /* GOAWAY said that another will follow; streams may still begin */
    H2_LAST_STREAM_KNOWN,             /* the GOAWAY that counts is submitted: what has begun goes on */
};

struct h2_server {
    struct sock sock;
    struct worker *worker;
    nghttp2_session *session;
    struct h2_memory memory;          /* the session's */
    struct connection connection;     /* in the owner's list */
    struct client client;
    const struct server_settings *settings;
    struct timer timer;
    struct deferred flushing, freeing;
    struct list streams;              /* of all exchanges that have not ended */
    struct list noted;                /* those with notes to deliver */
    uint32_t running;                 /* how many `streams` are */
    struct h2_stream *heading;        /* whose fields come now: blocks of fields are never interleaved */
    struct chunk *input;              /* what nghttp2 reads now; NULL otherwise */
    struct chunkq out;                /* framed, not yet with the kernel */
    struct chunk *scratch;            /* frames are written behind each other here; NULL: none is begun */
    uint64_t framed, sent;            /* bytes in all */
    size_t queued;                    /* body bytes that streams hold and that are not framed yet */
    uint64_t heads;                   /* bytes of all heads that streams hold */
    struct h2_budget resets, controls;
    uint32_t courtesy;                /* window and priority frames that requests and DATA of ours call for */
    int64_t opened_at, heading_at, idle_at;      /* when the present state of the name began */
    int64_t progress_at;              /* when output last moved, or had nothing to wait for */
    uint64_t progress_mark;
    int64_t id_named_until;           /* the client's table of fields holds the name of request ids until then */
    int64_t drain_until;              /* the client's answer to the notice is waited for until then */
    uint64_t lingered;                /* bytes read away */
    uint8_t opening_len;              /* bytes of `opening` that have come, behind preface_len of the preface */
    uint8_t preface_len;
    uint8_t opening[H2_FRAME_HEAD];   /* the head of the client's first frame; see h2_settings.any_opening */
    bool opened, swallows_ack;
    enum status doom;                 /* why the connection is broken off; OK: it is not */
    uint8_t draining;                 /* enum h2_draining */
    uint8_t state;
    bool hold_reading;                /* until output has gone */
    bool read_again, write_again;     /* others have to have their turn before */
    uint32_t turn;                    /* the loop's in which was written last */
    uint64_t turn_sent;               /* `sent` at its beginning */
};

/* A stream and its exchange, from the first byte of the head to finish; lies in the stream's arena. */
struct h2_stream {
    struct stream *stream;
    struct h2_server *server;
    struct list link, note;           /* in server->streams; in server->noted or alone */
    int32_t id;
    unsigned facts;                   /* noted */
    enum status why;                  /* for FACT_CLOSED */
    uint32_t reset_code;              /* what the client is told if it ends broken */
    struct chunkq in, out;            /* body bytes: come and not read; written and not framed */
    uint64_t held;                    /* its part of server->heads */
    int64_t in_left;                  /* bytes that Content-Length still promises; -1: it was not given */
    int64_t out_left;                 /* the same of the response */
    const struct fields *trailers;    /* to be sent behind the body; NULL: none */
    struct h2_head head;
    nghttp2_extpri priority;
    enum status spoilt;               /* why the body is malformed; OK: it is not */
    bool head_delivered;
    bool tunnel;                      /* extended CONNECT */
    bool in_ended;                    /* the client's END_STREAM came */
    bool out_begun;                   /* the final head went */
    bool out_ended;                   /* the product has written all */
    bool out_framed;                  /* our END_STREAM is framed */
    bool deferred;                    /* nghttp2 waits for nghttp2_session_resume_data */
    bool full;                        /* the sink said AGAIN: WRITABLE is due */
    bool closed;                      /* nghttp2 knows the stream no more */
};

/* ---- server.c ---- */

/* Reports the notes. Not from callbacks of nghttp2. */
void h2_server_deliver(struct h2_server *server);
/* Output is looked after at the end of the turn. */
void h2_server_schedule(struct h2_server *server);
/* Breaks off: GOAWAY with the code, and the streams hear FACT_CLOSED with `why`. From anywhere. */
void h2_server_doom(struct h2_server *server, uint32_t code, enum status why);
/* Enough was served: no further requests; those under way go on. */
void h2_server_drain(struct h2_server *server);
/* The client has answered the notice, or had the time to: the GOAWAY that counts. */
void h2_server_drain_on(struct h2_server *server);
/* A stream has ended. */
void h2_server_forget(struct h2_stream *own);

/* ---- session.c ---- */

/* False without memory. */
bool h2_session_open(struct h2_server *server);
void h2_session_close(struct h2_server *server);
/* Gives bytes to nghttp2; false: the connection is doomed. */
bool h2_session_feed(struct h2_server *server, const char *bytes, size_t len);
/* Frames what is ready while the output has room. */
void h2_session_frame(struct h2_server *server);
/* Frames up to and with the head of that stream, which was just submitted. False: the stream takes none any more. */
bool h2_session_frame_head(struct h2_server *server, int32_t id);
/* A reset that the client has earned is spent from its budget. */
void h2_session_count_reset(struct h2_server *server);

/* ---- stream.c ---- */

/* A new stream of the product; NULL: overloaded. */
struct h2_stream *h2_stream_open(struct h2_server *server, int32_t id);
void h2_stream_note(struct h2_stream *own, unsigned facts);
/* FACT_CLOSED is noted, once. */
void h2_stream_close(struct h2_stream *own, enum status why);
/* RFC 9113 8.1.1, of a body or its trailers: who reads it hears `why`, so that an answer can tell; once one has begun the stream is reset. */
void h2_stream_malformed(struct h2_stream *own, enum status why);
/* Bytes of the request's body, within the server's `input`. False: they were dropped. */
bool h2_stream_data(struct h2_stream *own, const char *data, size_t len);
void h2_stream_end(struct h2_stream *own);
extern const nghttp2_data_provider h2_stream_body;

/* ---- request_head.c ---- */

void h2_head_begin(struct h2_head *head, bool is_trailers);
/* Takes one field. */
void h2_head_field(struct h2_stream *own, struct str name, struct str value);
/* The block has ended: the request is made of it, or the trailers are complete. `end`: no body follows. */
void h2_head_end(struct h2_stream *own, bool end);

/* ---- response_head.c ---- */

/* Submits and frames a head. `end`: END_STREAM goes with it. */
enum status h2_response_send(struct h2_stream *own, const struct response *response, bool end);
/* Submits trailers, copied. False: there are none that may go. */
bool h2_response_trailers(struct h2_stream *own, const struct fields *trailers);

/* ---- connect.c ---- */

/* The head asks for a tunnel: the request becomes what HTTP/1 would have asked. OK or why not. */
enum status h2_connect_accept(struct h2_stream *own);
/* Whether a field of the response says something of HTTP/1's handshake alone. */
bool h2_connect_drops(const struct field *field);

/* ---- priority.c ---- */

/* Reads "u=N, i" (RFC 9218 4, 5) into what holds already; what is malformed changes nothing. */
void h2_priority_read(struct str value, nghttp2_extpri *priority);
/* What the request's field says. */
void h2_priority_request(struct h2_stream *own);
/* What the response's field says overrides the client (RFC 9218 8). */
void h2_priority_response(struct h2_stream *own, struct str value);

static inline size_t h2_smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

#endif
