/* What is left of an exchange when it has ended: counts, a line in the access log, an entry among the recent requests.
 * Threading: the worker's. */
#ifndef EXCHANGE_RECORD_H
#define EXCHANGE_RECORD_H

#include "exchange/exchange.h"

/* At the end, while request, response and server are still there. */
void record_exchange(struct exchange *x);
/* The status that the client got, or would get if it ended now; 499: none, it has left. */
int record_status(const struct exchange *x);

#endif
