/* The heads of a request and of a response, as every protocol version and every part of the product sees
 * them (RFC 9110 3, 6). No I/O, no framing: how the bytes stood on the wire is the protocol's business.
 *
 * Ownership: views into the head's chunk or the exchange's arena. Threading: one owner. */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include "http/fields.h"

#define METHOD_TABLE(X) \
    X(GET) X(HEAD) X(POST) X(PUT) X(DELETE) X(OPTIONS) X(PATCH) X(TRACE) X(CONNECT)

enum method {
    METHOD_OTHER,      /* see request.method_name */
#define X(name) METHOD_##name,
    METHOD_TABLE(X)
#undef X
    METHOD_COUNT
};

enum http_version { HTTP_1_0 = 10, HTTP_1_1 = 11, HTTP_2 = 20, HTTP_3 = 30 };

/* Body length before it is known or when it never will be. */
#define BODY_NONE INT64_C(0)
#define BODY_UNKNOWN INT64_C(-1)      /* chunked, until close, or a stream's end: only the end tells */

struct request {
    enum method method;
    enum http_version version;
    struct str method_name;
    struct str target;         /* as received: origin form, absolute form, "*" */
    struct str scheme;         /* "http" or "https": of an absolute form, else of the connection */
    struct str authority;      /* host and port as the client named them: target's, else Host's; may be empty */
    struct str host;           /* its host in lower case, no port, no trailing dot; "[::1]" keeps brackets */
    struct str path;           /* raw, as it will be forwarded; "*" for OPTIONS * */
    struct str query;          /* behind "?"; data NULL when there was no "?" */
    struct fields fields;
    struct fields trailers;    /* filled when the body has ended */
    int64_t body_length;       /* bytes, BODY_NONE or BODY_UNKNOWN */
    bool has_body;             /* framing announced one (may be 0 long) */
    bool expects_continue;
    uint32_t head_bytes;       /* that the head took on the wire */
    struct str lines;          /* further fields, ready as lines ("Name: value\r\n"...), checked: the proxy's own */
    struct str connection;     /* on its way to a server: Connection's value where it is not the protocol's own; empty: none */
    bool as_http_1_0;          /* on its way to a server: written as HTTP/1.0 */
    bool no_host;              /* on its way to a server: without Host */
    struct str upgrade;        /* the protocols asked for by Upgrade under Connection: upgrade; or empty */
    bool only_upgrade;         /* any 2xx would tell the client that it was upgraded (RFC 8441 5) */
};

struct response {
    int status;
    enum http_version version;
    struct str reason;         /* reason phrase; empty: the customary one */
    struct fields fields;
    struct fields trailers;
    struct str lines;          /* as in a request */
    int64_t body_length;
};

/* Empty, for a head that is about to be read. `body_length`: what holds where the head says nothing of it. */
static inline void response_begin(struct response *response, enum http_version version, int64_t body_length,
                                  struct arena *arena)
{
    response->status = 0;
    response->version = version;
    response->reason = response->lines = STR_NONE;
    response->body_length = body_length;
    fields_init(&response->fields, arena, 16);
    fields_init(&response->trailers, arena, 0);
}

enum method method_identify(struct str name);       /* case-sensitive (RFC 9110 9.1) */
struct str method_text(enum method method);
bool method_is_safe(enum method method);
bool method_is_idempotent(enum method method);
/* "HTTP/1.1": as logs write it. */
struct str http_version_text(enum http_version version);
/* "404 Not Found\n", "404 Not Found": ready as a page, and as the end of a status line; empty for unknown codes. */
struct str http_status_page(int status);
struct str http_status_words(int status);
/* "Not Found"; "" for unknown codes. */
struct str http_reason(int status);
/* A response with this status never has a body: 1xx, 204, 304 (RFC 9110 6.4.1). */
static inline bool status_is_bodiless(int status)
{
    return status < 200 || status == 204 || status == 304;
}

#endif
