/* What a request's spans are made of, as span_encode takes it: a view of what lies in the exchange, the configuration and its worker,
 * put together when the request has ended. All times are monotonic ns. */
#ifndef OBSERVE_SPAN_RECORD_H
#define OBSERVE_SPAN_RECORD_H

#include "http/message.h"
#include "observe/trace_context.h"

#define SPAN_TEXT_MAX ((size_t)4096)      /* of one text; what is longer is cut */

/* A request has one of each of these texts, empty where there is none. */
#define SPAN_TEXTS(X) \
    X(METHOD) X(PATH) X(QUERY) X(AUTHORITY) X(CLIENT) X(PEER) X(USER_AGENT) X(TRACE_STATE) X(REQUEST_ID) X(ENTRYPOINT) \
    X(ROUTER) X(RULE) X(SERVICE) X(DETAIL)

enum span_text {
#define X(name) SPAN_##name,
    SPAN_TEXTS(X)
#undef X
    SPAN_TEXT_COUNT
};

/* One middleware: how long it held the request on its way inwards. */
struct span_held {
    int64_t began, ended;
    struct str name, type;
};

/* One try at one server. */
struct span_attempt {
    int64_t began, ended;
    struct str url, host;                 /* the server's, without a path; how its host reads there */
    struct str path;                      /* that was asked for; empty: the request's own */
    struct str detail;
    uint16_t port;                        /* 0: it has none */
    int16_t status;                       /* of its response; 0: none came */
    uint8_t reason;                       /* enum status */
    bool secure;
};

/* A header field that the configuration wants to see. */
struct span_field {
    struct str value;
    uint16_t index;                       /* in the configuration's list */
    bool response;
};

struct span_record {
    const uint8_t *trace_id;              /* TRACE_ID_SIZE bytes */
    uint64_t parent;                      /* the client's span; 0: none */
    uint64_t span_base;                   /* span_record_id tells which span has which id */
    int64_t wall_offset;                  /* wall clock minus monotonic */
    int64_t began, routed, admitted, ended;      /* 0: was not reached, or is not to be a span */
    uint64_t request_bytes, response_bytes;      /* of bodies */
    const struct span_held *held;
    const struct span_attempt *attempts;
    const struct span_field *fields;
    unsigned held_count, attempt_count, field_count;
    struct str texts[SPAN_TEXT_COUNT];
    int16_t status;                       /* that went to the client; 0: none */
    uint16_t peer_port;
    uint8_t version;                      /* enum http_version */
    uint8_t reason;                       /* enum status */
    bool secure, known_method;
    bool same_query;                      /* the servers were asked with the client's */
};

/* The spans of a trace have ids of one row, so that only its first need be kept. */
enum span_number { SPAN_NUMBER_SERVER, SPAN_NUMBER_ROUTER, SPAN_NUMBER_SERVICE, SPAN_NUMBER_HELD = 256, SPAN_NUMBER_ATTEMPT = 65536 };

static inline uint64_t span_record_id(uint64_t base, unsigned number)
{
    uint64_t id = base + number * UINT64_C(0x9e3779b97f4a7c15);
    return id != 0 ? id : 1;
}

static inline unsigned span_record_count(const struct span_record *record)
{
    return 1 + (record->routed != 0) + (record->admitted != 0) + record->held_count + record->attempt_count;
}

#endif
