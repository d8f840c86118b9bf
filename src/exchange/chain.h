/* The middlewares of a router, inwards with the request and outwards with the response. Threading: the worker's. */
#ifndef EXCHANGE_CHAIN_H
#define EXCHANGE_CHAIN_H

#include "exchange/middleware.h"

/* Memory for what the middlewares keep in this exchange; false when its budget is exhausted. */
bool chain_begin(struct exchange *x);
/* Runs on_request from x->chain_at on. NEXT: all are through; ANSWER; WAIT. */
enum verdict chain_run_request(struct exchange *x);
/* on_request of those in front alone that only dress responses: for a request that is refused before the others would see it. */
void chain_run_refused(struct exchange *x);
/* Runs on_response from x->chain_at down to the outermost. NEXT: all are through; WAIT, RETRY, DETOUR. */
enum verdict chain_run_response(struct exchange *x);
/* on_finish of all that were entered. */
void chain_finish(struct exchange *x);

#endif
