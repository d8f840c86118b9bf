/* What a client's and a server's HTTP/1 connection have in common: a socket, the bytes that came and were not yet
 * understood, and the bytes that wait to go.
 *
 * Input is one pooled chunk that is held only while there are bytes in it: heads are copied out of it (into the
 * exchange's arena), bodies leave by reference. Output is a queue that belongs to the request under way, so an idle connection
 * has none. Threading: the worker's. */
#ifndef PROTO_H1_WIRE_H
#define PROTO_H1_WIRE_H

#include "base/chunkq.h"
#include "net/sock.h"
#include "net/worker.h"

#define H1_OUT_BYTES ((size_t)65536)      /* queued output beyond which a sink is full */
#define H1_WIRE_SLICES 16                 /* that one write takes */
#define H1_OUT_SLICES 64                  /* the same in slices: each of them may hold a whole buffer */
#define H1_HEAD_FIRST ((size_t)1024)      /* read of a message behind one whose body went through a pipe: most heads fit in */

struct h1_wire {
    struct sock sock;
    struct worker *worker;
    struct chunk *input;          /* NULL: nothing is buffered */
    uint32_t input_at;            /* first byte not yet taken */
    struct chunkq *out;           /* NULL while idle */
    uint64_t *bytes_in, *bytes_out;      /* the present stream's counters; NULL while idle */
};

/* Bytes that came and were not taken. */
static inline struct str h1_wire_input(const struct h1_wire *wire)
{
    return wire->input != NULL ? str_of(wire->input->data + wire->input_at, wire->input->used - wire->input_at)
                               : STR_NONE;
}

/* Reads from the socket behind what is buffered. `large`: into a chunk for bodies. `grow_to`: when a full chunk holds one
 * unfinished head, move it to a chunk of up to this many bytes. OK: something came; AGAIN; END; IO_ERROR; OVERLOADED (no
 * buffers), FIELDS_TOO_LARGE (the chunk is full and may not grow). */
enum status h1_wire_fill(struct h1_wire *wire, bool large, size_t grow_to);
/* The same, but at most `most` bytes: what stays in the socket can be spliced. */
enum status h1_wire_fill_some(struct h1_wire *wire, bool large, size_t grow_to, size_t most);
/* As fill, past the buffer into the caller's memory. END also when bytes are buffered, which come first. */
enum status h1_wire_read(struct h1_wire *wire, char *memory, size_t size, size_t *ret_got);
/* Takes bytes off the input; the chunk goes back when it is empty. */
void h1_wire_take(struct h1_wire *wire, size_t len);
/* The first `len` bytes of the input to the end of `into`, by reference. */
void h1_wire_give(struct h1_wire *wire, size_t len, struct chunkq *into);
/* Writes what is queued. OK: all gone; AGAIN; IO_ERROR. `more`: further bytes follow at once. */
enum status h1_wire_flush(struct h1_wire *wire, bool more);
/* Past the queue, which must be empty (else AGAIN): what is not sent is the caller's still. OK, AGAIN, IO_ERROR. */
enum status h1_wire_write(struct h1_wire *wire, struct str bytes, size_t *ret_sent);
/* Room for a head of up to `size` bytes at the end of the output; NULL without buffers. Commit what was written. */
char *h1_wire_reserve(struct h1_wire *wire, size_t size, struct chunk **ret_chunk);
void h1_wire_commit(struct h1_wire *wire, struct chunk *chunk, char *data, size_t len);
/* Sends the `len` bytes that were written into the reserved chunk, past the queue, which must be empty. OK: all gone. AGAIN: what is left
 * is queued. IO_ERROR. */
enum status h1_wire_send(struct h1_wire *wire, struct chunk *chunk, size_t len);
void h1_wire_drop_input(struct h1_wire *wire);

#endif
