/* Whether and how a response is compressed, apart from the exchange. Pure. */
#ifndef MIDDLEWARE_COMPRESS_H
#define MIDDLEWARE_COMPRESS_H

#include "base/option.h"
#include "http/message.h"
#include "middleware/codec.h"

struct compress_choice {
    const struct codec **codecs;        /* in the order of liking */
    size_t codec_count;
    const struct codec *fallback;       /* for clients that say nothing; NULL: none */
    int64_t min_bytes;
    struct strs excluded, included;     /* media types */
};

/* The response allows it: it has a body of a fit type, whole and not coded yet, and nobody forbids transforming it. */
bool compress_may(const struct compress_choice *choice, const struct request *request,
                  const struct response *response);
/* By Accept-Encoding (RFC 9110 12.5.3), all its lines joined; data NULL: the client sent none. NULL: as it is. */
const struct codec *compress_choose(const struct compress_choice *choice, struct str accepted);
/* A stream of events: every delay is felt. */
bool compress_is_live(const struct response *response);

#endif
