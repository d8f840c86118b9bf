/* Memory that codecs use again: per thread, bounded, freed when the thread ends. */
#ifndef MIDDLEWARE_CODEC_STORE_H
#define MIDDLEWARE_CODEC_STORE_H

#include <stddef.h>

enum codec_store_id { CODEC_STORE_GZIP, CODEC_STORE_ZSTD, CODEC_STORE_GUNZIP, CODEC_STORE_COUNT };

/* A coder that was put back on this thread, or NULL. */
void *codec_store_get(enum codec_store_id id);
/* Puts a coder back; `destroy` is called at once when there are enough, else when the thread ends. */
void codec_store_put(enum codec_store_id id, void *coder, void (*destroy)(void *coder));

/* For libraries that allocate anew for each body: blocks of memory on cache lines of their own, kept by size. NULL
 * without memory. */
void *codec_store_alloc(size_t size);
void codec_store_free(void *memory);

#endif
