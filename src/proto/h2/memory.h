/* Memory for one nghttp2 session: a dozen small pieces come and go with every stream. Those that go are kept for the next
 * stream, by size, where malloc would have to look for room when many streams go at once.
 *
 * Lives as long as the session that it was given to, and must not move; h2_memory_trim behind nghttp2_session_del gives
 * everything back. Threading: the session's. */
#ifndef PROTO_H2_MEMORY_H
#define PROTO_H2_MEMORY_H

#include <nghttp2/nghttp2.h>

#define H2_MEMORY_STEP ((size_t)64)           /* bytes by which the sizes differ */
#define H2_MEMORY_SIZES ((size_t)8)           /* larger ones come from malloc and go back to it */

struct h2_memory {
    void *kept[H2_MEMORY_SIZES];              /* lists; the first bytes of a piece are the link */
};

/* `memory` is zeroed. */
nghttp2_mem h2_memory_for(struct h2_memory *memory);
/* Gives back what is kept: for a connection that is idle. */
void h2_memory_trim(struct h2_memory *memory);

#endif
