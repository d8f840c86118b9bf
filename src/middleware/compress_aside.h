/* The filter of compress_filter.h for what is slow: it codes on threads of its own (codec_threads.h), and the exchange waits for them.
 * Threading: the worker's. */
#ifndef MIDDLEWARE_COMPRESS_ASIDE_H
#define MIDDLEWARE_COMPRESS_ASIDE_H

#include "exchange/exchange.h"
#include "middleware/codec.h"

/* For the response of `x`; as compress_filter_new. */
struct filter *compress_aside_new(struct exchange *x, const struct codec *codec, int level, int64_t length);

#endif
