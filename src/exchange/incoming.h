/* What is done to a request before it is routed: one reading of it is settled here, for routers, middlewares, servers
 * and logs alike. Threading: the worker's. */
#ifndef EXCHANGE_INCOMING_H
#define EXCHANGE_INCOMING_H

#include "exchange/exchange.h"

/* Of a request whose head is malformed: notes what is known of it, for logs. */
void incoming_refused(struct exchange *x);
/* Notes the request as it came, finds who the client is, removes what an untrusted peer says about that, normalises the
 * path, gives the request an id. OK, or why it is refused. */
enum status incoming_prepare(struct exchange *x);

#endif
