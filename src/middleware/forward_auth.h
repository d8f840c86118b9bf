/* forwardAuth in its parts: options and the course of it (forward_auth.c), what the service is asked
 * (forward_auth_request.c), what its answer means (forward_auth_answer.c); and TLS towards it
 * (forward_auth_tls.c). Threading: the worker's. */
#ifndef MIDDLEWARE_FORWARD_AUTH_H
#define MIDDLEWARE_FORWARD_AUTH_H

#include "exchange/middleware.h"
#include "middleware/regexes.h"
#include "model/tls.h"
#include "upstream/fetch.h"

struct forward_auth {
    const struct node *origin;
    struct str address;
    struct peer_tls *tls;     /* NULL: as serversTransport says */
    bool trust_forward_header;
    struct strs auth_response_headers, auth_request_headers;
    struct str auth_response_headers_regex;
    struct strs add_auth_cookies_to_response;
    bool forward_body;
    int64_t max_body_size, max_response_body_size;
    struct str header_field;
    bool preserve_location_header, preserve_request_method;
    struct str auth_signin_url;
};

struct forward_auth_state {
    struct server *server;            /* one reference is held */
    const struct transport *transport;
    struct tls_client *tls;           /* of its own; NULL: the transport's */
    struct str path, query;           /* of the address */
    struct regex *response_fields;    /* NULL: none */
};

/* In each exchange. */
struct forward_auth_own {
    struct exchange *exchange;
    struct middleware *middleware;
    struct fetch *fetch;              /* under way; NULL: not begun, or done */
    bool answered;                    /* the service has said something, or failed to */
    bool passes;
    struct strs cookies;              /* its Set-Cookie values that are handed on; in the exchange's arena */
};

/* Without a limit bodies are still bounded by this: they lie in memory. */
#define FORWARD_AUTH_BODY_MAX ((int64_t)16 << 20)
#define FORWARD_AUTH_RESPONSE_MAX ((int64_t)4 << 20)

/* forward_auth_tls.c: its own way to a service by https. False after an error. */
bool forward_auth_secure(struct forward_auth_state *state, const struct peer_tls *tls, struct compile *compile);
/* Fills the fetch's request from the exchange's; false when memory ran out. */
bool forward_auth_build(struct forward_auth_own *own, struct fetch *fetch);
/* Takes over what the service said: the request's new fields, or the answer to the client. */
void forward_auth_judge(struct forward_auth_own *own, struct fetch *fetch, enum status status);
/* The service's cookies that the client shall get, in place of the server's of those names. */
void forward_auth_add_cookies(struct exchange *x, struct forward_auth_own *own);

#endif
