/* The bytes of an answer as a source: stretches of one open file, each behind some text (the heads of multipart ranges).
 *
 * Large stretches offer themselves to sendfile. Small ones are read into a chunk, so that they leave in one call with the
 * response's head. Reading blocks the loop while the disk is asked: what is served again and again is in the page cache, and
 * a cold read of a few pages costs less than handing it to another thread would cost every request.
 *
 * Ownership: in the exchange's arena; the descriptor is closed by the source's release. Threading: the worker's. */
#ifndef FILES_CONTENT_H
#define FILES_CONTENT_H

#include "http/stream.h"

#define CONTENT_SMALL ((int64_t)16384)      /* bytes of an answer that are read rather than sent by sendfile */

struct content {
    struct body_source source;
    struct chunk_pool *pool;
    int fd;
    struct body_stretch *pieces;
    unsigned count, at;
    bool small;                   /* all of it together */
};

/* Takes the descriptor over; `pieces` live as long as the source. */
void content_init(struct content *content, int fd, struct body_stretch *pieces, unsigned count, struct chunk_pool *pool);
/* Bytes that it gives in all; before the first was read. */
int64_t content_length(const struct content *content);

#endif
