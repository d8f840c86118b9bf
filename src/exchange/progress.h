/* Time limits that do not kill honest work: what counts is whether bytes move, not how long it takes in all.
 * Threading: the worker's. A status other than OK is the reason to give up. */
#ifndef EXCHANGE_PROGRESS_H
#define EXCHANGE_PROGRESS_H

#include "exchange/exchange.h"

/* One fixed limit from now; 0: none. */
void progress_limit(struct exchange *x, int64_t ns);
bool progress_expired(const struct exchange *x);
/* From here on the limits of the following functions hold: the request was sent, or its body is about to be held. */
void progress_begin(struct exchange *x);
/* More could be done at once, but others have waited long enough: the next turn goes on. Always OK. */
enum status progress_next_turn(struct exchange *x);
/* While the request's body is held (exchange_hold_body). */
enum status progress_hold(struct exchange *x);
/* While a response's body is held (exchange_hold_response). */
enum status progress_hold_response(struct exchange *x);
/* While the answer is awaited and perhaps the request's body still flows. */
enum status progress_await_response(struct exchange *x);
/* While bodies flow. */
enum status progress_relay(struct exchange *x);
/* A client that waits for "100 Continue" has waited long enough for the server to say it. */
bool progress_wants_continue(const struct exchange *x);

#endif
