/* A body filter that codes what passes. Threading: the worker's. */
#ifndef MIDDLEWARE_COMPRESS_FILTER_H
#define MIDDLEWARE_COMPRESS_FILTER_H

#include "base/arena.h"
#include "exchange/filter.h"
#include "middleware/codec.h"

/* For a body of `length` bytes, -1 when unknown; `level` as in codec.h. What has come is pushed out whenever nothing more is there, but for bodies
 * whose length promises the rest. NULL without memory. */
struct filter *compress_filter_new(struct arena *arena, struct chunk_pool *pool, const struct codec *codec,
                                   int level, int64_t length);

#endif
