/* What can be done about a failure: a sentence or two for whoever runs the proxy, shown beside status_text by error pages, the
 * API and `portico top`. Pure; literals. */
#ifndef EXCHANGE_ADVICE_H
#define EXCHANGE_ADVICE_H

#include "upstream/server.h"

/* NULL where nothing is wrong or nothing can be done here (a client that went away). */
const char *advice_for(enum status status);
/* The same where it is known which server failed (NULL: it is not). */
const char *advice_for_server(enum status status, const struct server *server);

#endif
