/* Whether and how a response is compressed, apart from the exchange. Pure. */
#ifndef MIDDLEWARE_COMPRESS_H
#define MIDDLEWARE_COMPRESS_H

#include "base/option.h"
#include "http/message.h"
#include "http/status_ranges.h"
#include "middleware/codec.h"
#include "route/captures.h"

/* Which responses to requests that came by a proxy (Via) are compressed. */
enum compress_proxied {
    PROXIED_ANY = 1,
    PROXIED_EXPIRED = 2,              /* with an Expires in the past */
    PROXIED_NO_CACHE = 4, PROXIED_NO_STORE = 8, PROXIED_PRIVATE = 16,      /* Cache-Control has that word */
    PROXIED_NO_LAST_MODIFIED = 32, PROXIED_NO_ETAG = 64,      /* has no such field, and neither of the above */
    PROXIED_AUTH = 128,               /* the request has Authorization */
};

struct compress_choice {
    const struct codec **codecs;        /* in the order of liking */
    size_t codec_count;
    const struct codec *fallback;       /* for clients that say nothing; NULL: none */
    int64_t min_bytes;
    struct strs excluded, included;     /* media types; "*": any */
    struct status_ranges statuses;      /* none: all */
    unsigned proxied;                   /* bits of enum compress_proxied */
    enum http_version version;          /* of the oldest clients that get it */
    bool not_msie6;
    const struct perl_regex **agents;   /* whose User-Agent one of these matches gets none */
    size_t agent_count;
};

/* The client may have it at all: its version, its program, and the proxies on its way. `now`: Unix time in seconds. */
bool compress_suits_client(const struct compress_choice *choice, const struct request *request,
                           const struct response *response, int64_t now);
/* The word of an option; 0: it is none. "off" is PROXIED_OFF. */
#define PROXIED_OFF (1u << 31)
unsigned compress_proxied_word(struct str word);
/* The response allows it: it has a body of a fit type, whole and not coded yet, and nobody forbids transforming it. */
bool compress_may(const struct compress_choice *choice, const struct request *request,
                  const struct response *response);
/* By Accept-Encoding (RFC 9110 12.5.3), all its lines joined; data NULL: the client sent none. NULL: as it is. */
const struct codec *compress_choose(const struct compress_choice *choice, struct str accepted);
/* A stream of events: every delay is felt. */
bool compress_is_live(const struct response *response);

#endif
