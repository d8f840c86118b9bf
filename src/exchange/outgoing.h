/* What is done to a request on its way to a server, and to the response on its way back. Threading: the worker's. */
#ifndef EXCHANGE_OUTGOING_H
#define EXCHANGE_OUTGOING_H

#include "exchange/exchange.h"

/* The request as servers get it, where that is not the client's own: a middleware makes it (upstreamRequest), and the client's stays
 * as it is for logs, variables and other locations. Lies in the exchange's arena. */
struct outgoing {
    struct request request;
    struct spool *body;               /* in place of the client's; NULL: the client's, unless the request has none */
    bool own_body;                    /* has_body and body_length are the request's own */
    bool passes_trailers, passes_hints;       /* of the response: its trailers, interim responses with 103 */
    bool prepared;                    /* outgoing_prepare has been here */
};

/* A new one, like the client's request without its fields, which takes the place of a former one. NULL: no memory. */
struct outgoing *outgoing_begin(struct exchange *x, uint32_t field_count);
/* Lets go of its body: it is no longer wanted. */
void outgoing_drop(struct exchange *x);
/* What goes to servers: the one that was made, or the client's. */
static inline const struct request *outgoing_request(const struct exchange *x)
{
    return x->outgoing != NULL ? &x->outgoing->request : &x->stream.request;
}

/* Once per exchange: removes what held for the client's connection only and adds X-Forwarded-*, X-Real-Ip, Via. */
void outgoing_prepare(struct exchange *x);
/* For each attempt: path and Host as x->server wants them. Gives the head to send; NULL: no memory. */
const struct request *outgoing_address(struct exchange *x);
/* The server's response head, taken over into x->response: hop-by-hop fields removed, Via, the request's id. */
void outgoing_take_response(struct exchange *x);
/* Keeps a field of this response for the one that takes its place. */
void outgoing_carry(struct exchange *x, const struct field *field);
/* Fields that every response gets. */
void outgoing_finish_response(struct exchange *x);

#endif
