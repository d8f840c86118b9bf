/* Does one service hand on to another, directly or through others? For services that are asked about a response that came
 * by one of their children. Pure; any thread. */
#ifndef SERVICE_REACH_H
#define SERVICE_REACH_H

#include "exchange/service.h"

/* A service reaches itself. */
bool service_reaches(const struct service *from, const struct service *to);

#endif
