/* A body that is held: in memory up to a bound, beyond it in an unlinked temporary file. It can be sent any number
 * of times, each time from its start. Threading: the worker's. */
#ifndef EXCHANGE_SPOOL_H
#define EXCHANGE_SPOOL_H

#include "base/arena.h"
#include "base/chunkq.h"
#include "base/status.h"
#include "http/stream.h"

struct spool;

/* `memory_max` bytes stay in memory. The struct lies in `arena`, what it holds does not; NULL beyond its budget. */
struct spool *spool_new(struct arena *arena, struct chunk_pool *pool, int64_t memory_max);
/* Where its file lies: a folder instead of $TMPDIR, which is made where it is missing. With a name the file is one that others can open, it
 * gets even what would have room in memory, and lasts as long as the spool, or longer when it is kept. Before anything was added. */
struct spool_place {
    struct str folder;          /* empty: $TMPDIR, else /tmp */
    bool named, kept;
};
void spool_set_place(struct spool *spool, const struct spool_place *place);
/* Another that holds the same bytes, for a reader of its own whose end is another's: it outlives the first. NULL: no memory, no
 * descriptor. */
struct spool *spool_share(const struct spool *spool, struct arena *arena);
/* Lets go of what it holds. */
void spool_release(struct spool *spool);
/* Takes everything off `bytes`. OK, or FILE_ERROR, OVERLOADED. */
enum status spool_add(struct spool *spool, struct chunkq *bytes);
int64_t spool_length(const struct spool *spool);
/* All of it when it lies in memory, made contiguous; else data NULL. */
struct str spool_bytes(struct spool *spool);
/* The file's descriptor where it lies in one, else -1. The spool's. */
int spool_file(const struct spool *spool);
/* Its name, where it has one; else data NULL. */
struct str spool_file_name(const struct spool *spool);
/* A source that gives it from the start; rewinds at each call. One reader at a time. */
struct body_source *spool_rewind(struct spool *spool);
/* The same, and behind it what `then` still gives: a body of which only the beginning is held. */
struct body_source *spool_rewind_before(struct spool *spool, struct body_source *then);

#endif
