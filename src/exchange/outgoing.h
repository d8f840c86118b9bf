/* What is done to a request on its way to a server, and to the response on its way back. Threading: the worker's. */
#ifndef EXCHANGE_OUTGOING_H
#define EXCHANGE_OUTGOING_H

#include "exchange/exchange.h"

/* Once per exchange: removes what held for the client's connection only and adds X-Forwarded-*, X-Real-Ip, Via. */
void outgoing_prepare(struct exchange *x);
/* For each attempt: path and Host as x->server wants them. Gives the head to send. */
const struct request *outgoing_address(struct exchange *x, struct request *copy);
/* The server's response head, taken over into x->response: hop-by-hop fields removed, Via, the request's id. */
void outgoing_take_response(struct exchange *x);
/* Fields that every response gets. */
void outgoing_finish_response(struct exchange *x);

#endif
