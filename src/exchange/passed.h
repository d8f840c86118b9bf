/* The services that a request passed on its way: from the router's (weighted, failover...) to the one that named the server
 * or answered. They are found again by their children, so an exchange need not remember them. */
#ifndef EXCHANGE_PASSED_H
#define EXCHANGE_PASSED_H

#include "exchange/service.h"

/* Does one hand on to the other, directly or through others? A service reaches itself. */
bool service_reaches(const struct service *from, const struct service *to);
/* on_response of each, from the router's service to the one that answered. */
void passed_on_response(struct exchange *x);
/* A service that x->service's parents may hand on to as well and that is ready; NULL: there is none. */
struct service *passed_other_ready(const struct exchange *x);
/* One of them will not have the response: it is to be dropped and the router's service asked again. */
bool passed_refuse(struct exchange *x);

#endif
