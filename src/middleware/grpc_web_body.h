/* Bodies of gRPC-Web: base 64 in both directions (application/grpc-web-text), and the trailers of a response as its last
 * frame, since scripts in browsers see no trailers (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md).
 *
 * Ownership: filters live in the arena given. Threading: the worker's. */
#ifndef MIDDLEWARE_GRPC_WEB_BODY_H
#define MIDDLEWARE_GRPC_WEB_BODY_H

#include "base/arena.h"
#include "exchange/filter.h"
#include "http/fields.h"

/* Takes base 64 off a request's body: texts that were padded may follow each other. NULL without memory. */
struct filter *grpc_web_decoder_new(struct arena *arena, struct chunk_pool *pool);
/* Adds `trailers` as a frame of their own when the body ends, and empties them: they are told once. `text`: all of it in base
 * 64, padded wherever the stream pauses. `trailers` lives as long as the filter. NULL without memory. */
struct filter *grpc_web_encoder_new(struct arena *arena, struct chunk_pool *pool, struct fields *trailers, bool text);

#endif
