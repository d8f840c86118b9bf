/* What can be done about a failure: a sentence or two for whoever runs the proxy, shown beside status_text by error pages, the
 * API and `portico top`. Pure; literals. */
#ifndef EXCHANGE_ADVICE_H
#define EXCHANGE_ADVICE_H

#include "base/status.h"

/* NULL where nothing is wrong or nothing can be done here (a client that went away). */
const char *advice_for(enum status status);

#endif
