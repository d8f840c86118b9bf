/* What is left of an exchange when it has ended: a line in the access log and counts. Threading: the worker's. */
#ifndef EXCHANGE_RECORD_H
#define EXCHANGE_RECORD_H

#include "exchange/exchange.h"

/* At the end, while request, response and server are still there. */
void record_exchange(struct exchange *x);

#endif
