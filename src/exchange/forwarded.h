/* The fields by which a server learns who has asked, and how: Traefik's set of X-Forwarded-*, X-Real-Ip, and the request's id.
 * Threading: the worker's. */
#ifndef EXCHANGE_FORWARDED_H
#define EXCHANGE_FORWARDED_H

#include "exchange/exchange.h"

/* Adds them to `request`, which goes to servers, as ready lines in the exchange's arena; what is there already stays: a trusted peer
 * sent it, or a middleware set it. Without the memory for them it goes without. */
void forwarded_add(struct exchange *x, struct request *request);

#endif
