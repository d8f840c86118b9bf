/* Who makes gzip at which level. zlib does all of them; an engine that registers itself takes the levels at which it is
 * quicker. Where its library is missing, the build leaves its file out and zlib does the work. Its coders are made and run as those of
 * a codec (codec.h). */
#ifndef MIDDLEWARE_GZIP_ENGINE_H
#define MIDDLEWARE_GZIP_ENGINE_H

#include "middleware/codec.h"

struct gzip_engine {
    int level_from, level_to;       /* of those that users name */
    int level_usual;                /* where nobody names one */
    void *(*take)(int level);
    void (*give)(void *coder);
    bool (*run)(void *coder, enum codec_step step, struct str *input, char *out, size_t room, size_t *ret_written,
                bool *ret_more);
};
REGISTRY(gzip_engine, const struct gzip_engine);

/* At the head of every coder. */
struct gzip_coder {
    const struct gzip_engine *engine;
};

#endif
