/* Bodies that are held, as the spine sees them; middlewares use the functions in exchange.h. Threading: the worker's. */
#ifndef EXCHANGE_HOLD_H
#define EXCHANGE_HOLD_H

#include "exchange/exchange.h"

/* Reads until `until` bytes are held. OK: there are as many; END: the body is complete; AGAIN; else why it broke. With a loop it is left
 * for the next turn when this one is long: AGAIN, and *ret_yielded; no fact will come. */
enum status hold_gather(struct spool *spool, struct body_source *source, int64_t until, const struct loop *loop, bool *ret_yielded);
/* Where an attempt finds the request's body, from its start if it is held. */
struct body_source *hold_request_source(struct exchange *x);
/* Where the relay finds the response's body. */
struct body_source *hold_response_source(struct exchange *x);

#endif
