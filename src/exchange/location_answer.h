/* Redirects whose target may be a path: written as the router's `redirects` says (model/http.h, struct redirect_form). */
#ifndef EXCHANGE_LOCATION_ANSWER_H
#define EXCHANGE_LOCATION_ANSWER_H

#include "exchange/exchange.h"

/* `target` as it shall stand in Location where it is no path; in the arena or a view that lasts. */
struct str location_complete(struct exchange *x, struct str target);
/* A response with Location (RFC 9110 10.2.2). `target` is escaped already; one that begins with '/' is completed. */
void exchange_answer_location(struct exchange *x, int status, struct str target);

#endif
