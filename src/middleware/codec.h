/* The plug of content codings (RFC 9110 8.4.1): one file each. A coder is one body's; its memory comes from a store of the
 * thread's and goes back there, so that a request allocates nothing once the worker is warm.
 *
 *     static const struct codec gzip = {.name = STR("gzip"), .take = take, ...};
 *     REGISTER(codec, gzip);
 *
 * Threading: one thread at a time runs a coder; the one that took it gives it back. */
#ifndef MIDDLEWARE_CODEC_H
#define MIDDLEWARE_CODEC_H

#include "base/registry.h"
#include "base/str.h"

enum codec_step {
    CODEC_GO,       /* take the input; give output when there is enough of it */
    CODEC_FLUSH,    /* everything taken so far must come out */
    CODEC_END,      /* and the body's end */
};

/* With less room than this the libraries write the mark of a flush more than once. */
#define CODEC_ROOM 16

struct codec {
    struct str name;        /* as in Content-Encoding */
    int level_max;          /* of the library's levels, from 0 or 1 */
    /* Bytes that are coded in about 0.2 ms at this level; NULL: as many as there are. */
    size_t (*slice)(int level);
    int slow_from;          /* from this level on one step may take longer than a millisecond, however little it gets; 0: none does */
    /* A coder for a body of this length, -1 when unknown, at this level of the library's, -1 for our choice; NULL without memory. */
    void *(*take)(int64_t length, int level);
    void (*give)(void *coder);
    /* Takes from the front of *input and writes up to `room` bytes (CODEC_ROOM at least). OK: *ret_written bytes; *ret_more: more output is
     * waiting, call again (also with empty input). False: the library failed, which it has no reason to. */
    bool (*run)(void *coder, enum codec_step step, struct str *input, char *out, size_t room, size_t *ret_written,
                bool *ret_more);
};
REGISTRY(codec, const struct codec);

/* By name, case ignored; NULL when unknown. */
const struct codec *codec_find(struct str name);

#endif
