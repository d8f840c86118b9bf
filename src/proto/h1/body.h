/* Bodies of HTTP/1 messages over a wire: the framing is taken off what comes and put on what goes.
 * The functions behind the sources and sinks of both sides (proto/h1/server.c, client.c). Threading: the worker's. */
#ifndef PROTO_H1_BODY_H
#define PROTO_H1_BODY_H

#include "proto/h1/chunked.h"
#include "proto/h1/parse.h"
#include "proto/h1/wire.h"

struct h1_body_in {
    enum h1_framing framing;
    int64_t left;                 /* H1_LENGTH: bytes still to come */
    struct h1_chunked chunked;
    bool asked;                   /* somebody has begun to read it */
    bool ended;
    struct fields *trailers;      /* where they go; its arena inited */
};

struct h1_body_out {
    enum h1_framing framing;
    int64_t left;                 /* H1_LENGTH: bytes still owed */
    bool ended;
};

void h1_body_in_init(struct h1_body_in *body, enum h1_framing framing, int64_t length, struct fields *trailers);
void h1_body_out_init(struct h1_body_out *body, enum h1_framing framing, int64_t length);

/* As source.read. A peer that closes before the end: `truncated` is returned. */
enum status h1_body_read(struct h1_body_in *body, struct h1_wire *wire, struct chunkq *into, size_t max,
                         enum status truncated);
/* As source.take. */
enum status h1_body_take(struct h1_body_in *body, struct h1_wire *wire, char *memory, size_t size, size_t *ret_got,
                         enum status truncated);
int64_t h1_body_splice_ready(const struct h1_body_in *body, const struct h1_wire *wire);
enum status h1_body_splice(struct h1_body_in *body, struct h1_wire *wire, int pipe, size_t max, size_t *ret_moved,
                           enum status truncated);

/* As sink.write: frames and queues; flushes only when the queue is full. */
enum status h1_body_write(struct h1_body_out *body, struct h1_wire *wire, struct chunkq *from, bool end,
                          const struct fields *trailers);
/* As sink.put. */
enum status h1_body_put(const struct h1_body_out *body, struct h1_wire *wire, struct str bytes, size_t *ret_sent);
bool h1_body_splice_possible(const struct h1_body_out *body, const struct h1_wire *wire);
enum status h1_body_splice_out(struct h1_body_out *body, struct h1_wire *wire, int pipe, size_t max,
                               size_t *ret_moved);
enum status h1_body_send_file(struct h1_body_out *body, struct h1_wire *wire, int file, off_t *offset, size_t max,
                              size_t *ret_moved);

#endif
