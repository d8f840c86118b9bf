/* Where protocol meets product: one request and its response, on the client's side (struct stream) and on
 * the server's side (struct upstream_stream), whatever version of HTTP carries them.
 *
 * The rule of this seam: a protocol turns bytes into facts and responses into bytes. It reports facts by the
 * handler's callbacks and never learns of routes; the product never asks which version it talks to. Body bytes
 * move by source and sink, which a relay connects: a source says AGAIN when nothing has come, a sink says
 * AGAIN when it is full, and either reports `on_facts` when that has changed.
 *
 * Threading: everything on the worker's thread. Ownership is said at each call. */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include <sys/types.h>

#include "base/chunkq.h"
#include "base/status.h"
#include "http/message.h"

/* A stretch of a body that can be read from anywhere in it, behind a text of its own. */
struct body_stretch {
    struct str text;              /* goes first */
    off_t offset;
    int64_t left;
};

struct body_source;
struct body_sink;

struct body_source_ops {
    /* Moves what has come, up to `max` bytes, to the end of `into`. OK: some moved. AGAIN: none there now.
     * END: none moved and the body is complete (trailers are then in the head's struct). Else why it broke. */
    enum status (*read)(struct body_source *source, struct chunkq *into, size_t max);
    /* As read, into the caller's memory: for the short messages of a tunnel, which a sink's `put` takes from there. OK: some came.
     * AGAIN: none there now. END: nothing by this way, read goes on. NULL: never. */
    enum status (*take)(struct body_source *source, char *memory, size_t size, size_t *ret_got);
    /* As read, from the socket straight into a pipe: only when `splice_ready` said how many bytes may go.
     * NULL: cannot. */
    enum status (*splice)(struct body_source *source, int pipe, size_t max, size_t *ret_moved);
    /* Bytes of plain body that stand between here and the end or the next framing and that are not yet
     * read into memory; 0: use read. */
    int64_t (*splice_ready)(struct body_source *source);
    /* From now on facts tell of bytes only when so many are there (or no more would fit, or the end is): a wake for each segment of a
     * long body costs more than moving it. 1: whenever some are there, at once if they are already. Only for what splice_ready counts.
     * NULL: cannot. */
    void (*gather)(struct body_source *source, int bytes);
    /* Which file the next bytes are a stretch of, for send_file: its descriptor, where the stretch goes on and how much of it
     * is left, both moved by who sends. -1: they come by read (their number is small, or they are no file's). NULL: never. */
    int (*file)(struct body_source *source, off_t **ret_offset, int64_t **ret_left);
    /* Before the first read: only these stretches are to be given, in this order; they live as long as the source. NULL: it can be
     * read only from its beginning to its end. */
    void (*cut)(struct body_source *source, struct body_stretch *stretches, unsigned count);
    /* Nothing will be read any more; for sources given to exchange_answer_source. May be NULL. */
    void (*release)(struct body_source *source);
};

/* Body bytes with their framing taken off: whoever gives them has this in a struct of its own. */
struct body_source {
    const struct body_source_ops *ops;
};

struct body_sink_ops {
    /* Takes bytes off `from` and frames them; `end` says that the body is complete with what is in `from`
     * (trailers may be NULL). OK: all taken. AGAIN: some may be left. Else why it broke. */
    enum status (*write)(struct body_sink *sink, struct chunkq *from, bool end, const struct fields *trailers);
    /* Bytes of a tunnel out of the caller's memory straight to the peer: nothing is kept of what was not sent. OK: some were sent.
     * AGAIN: none. Else why it broke. NULL: never. */
    enum status (*put)(struct body_sink *sink, struct str bytes, size_t *ret_sent);
    /* Up to `max` bytes out of a pipe straight into the socket; NULL or AGAIN as above. May be called only
     * when splice_possible says so. */
    enum status (*splice)(struct body_sink *sink, int pipe, size_t max, size_t *ret_moved);
    /* A stretch of a file straight into the socket; as splice. END: the file is shorter than that now. */
    enum status (*send_file)(struct body_sink *sink, int file, off_t *offset, size_t max, size_t *ret_moved);
    /* True when the framing lets plain bytes through (a known length, or until close): splice and send_file. */
    bool (*splice_possible)(struct body_sink *sink);
    /* Pushes out what was held back to fill packets. OK, AGAIN, or why it broke. */
    enum status (*flush)(struct body_sink *sink);
};

/* Where body bytes go. */
struct body_sink {
    const struct body_sink_ops *ops;
};

/* Facts that a protocol reports; several at once. */
enum stream_fact {
    FACT_HEAD = 1,          /* the head is complete (stream.request, or upstream_stream.response) */
    FACT_READABLE = 2,      /* source.read may have something */
    FACT_WRITABLE = 4,      /* sink.write may take something */
    FACT_CLOSED = 8,        /* the peer is gone or broke the rules: stream.failure says how */
    FACT_INFORM = 16,       /* server side: an interim response (1xx) is in stream.response */
};

struct addr;
struct client;              /* who is on the other side: net/client.h */
struct stream;

/* What the product gives a protocol for the client side. */
struct stream_handler {
    /* A first byte of a request has come: the product makes its exchange and gives the stream inside it.
     * NULL: overloaded; the protocol then refuses. `context` is what the connection was created with. */
    struct stream *(*open)(void *context, struct client *client);
    /* Something has happened; the stream may be gone when this returns. */
    void (*on_facts)(struct stream *stream, unsigned facts);
};

struct stream_ops {
    /* Queues the response head; framing is chosen from response->body_length, status and the request.
     * Interim heads (1xx) may come first, any number. */
    enum status (*send_head)(struct stream *stream, const struct response *response);
    /* From now on both directions are plain bytes (after 101): source and sink change their meaning. */
    void (*upgrade)(struct stream *stream);
    /* The exchange is over: the stream (and its exchange) will not be touched by the protocol again. With
     * `broken` the client is shown that the response is not whole (connection closed, stream reset). The
     * protocol goes on with the next request or closes. */
    void (*finish)(struct stream *stream, bool broken);
};

enum close_after {
    KEEP_OPEN,
    CLOSE_AFTER,
    CLOSE_AFTER_IF_SERIAL,       /* where one message follows the other (HTTP/1), for it is in doubt where the next one would begin */
};

struct stream {
    const struct stream_ops *ops;
    struct stream_handler *handler;
    void *connection;            /* the protocol's own */
    struct client *client;
    struct request request;      /* filled by the protocol before FACT_HEAD */
    struct arena *arena;         /* the exchange's: heads are parsed into it */
    struct body_source source;        /* the request's body */
    struct body_sink sink;            /* the response's body */
    enum status failure;         /* why FACT_CLOSED, or why the head is bad (with FACT_HEAD) */
    int64_t began_at;            /* monotonic ns, first byte of the head */
    uint64_t bytes_in, bytes_out;    /* on the wire, heads and framing included */
    uint32_t head_bytes_out;     /* of the final head; 0: nobody counted */
    bool pipelined;              /* its first bytes came together with the request before */
    bool response_begun;         /* a final head was queued */
    bool unchunked;              /* a response of unknown length ends with the connection */
    int64_t idle_timeout;        /* ns that the connection is kept behind this response; 0: as its settings say */
    int64_t max_age;             /* ns that the connection may have lasted behind this response; 0: as its settings say */
    uint64_t max_requests;       /* that the connection may have had behind this response; 0: as its settings say */
    uint32_t keep_alive_seconds; /* told in Keep-Alive where the connection is kept; 0: nothing is told */
    uint8_t close_after;         /* enum close_after: what the product wants of the connection behind this response */
};

struct upstream_stream;

struct upstream_ops {
    /* Queues the request head (flush with sink.flush). */
    enum status (*send_head)(struct upstream_stream *stream, const struct request *request);
    void (*upgrade)(struct upstream_stream *stream);
    /* Lets go of the connection: it goes back to its pool when `reusable` and both messages ended. */
    void (*release)(struct upstream_stream *stream, bool reusable);
};

struct upstream_stream {
    const struct upstream_ops *ops;
    void *connection;
    void (*on_facts)(struct upstream_stream *stream, unsigned facts);
    void *owner;                 /* the product's: its exchange or fetch */
    struct arena *arena;         /* heads are parsed into it */
    struct body_source source;        /* the response's body */
    struct body_sink sink;            /* the request's body */
    enum status failure;
    const char *detail;          /* more about the failure, for logs: literal or text in `arena`; NULL: nothing */
    uint64_t bytes_in, bytes_out;
    const struct addr *address;  /* where the connection leads; valid while it is bound; NULL: nobody said */
    bool reused;                 /* the connection served a request before: a close now may be a race */
    bool anything_sent;          /* a byte of the request left for the kernel */
    bool anything_received;      /* a byte of the response came */
    bool rejected;               /* the server has reset the request alone (HTTP/2), before any response head */
    bool missed;                 /* the server had ended the connection before a byte of the request got there: nobody read it */
    struct response response;    /* filled before FACT_HEAD and FACT_INFORM; last, since nothing of it counts before */
};

#endif
