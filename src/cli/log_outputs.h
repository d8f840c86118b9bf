/* Where lines about the process go besides its own log: the error logs that `log.alsoTo` names. Control thread; lines come from any. */
#ifndef CLI_LOG_OUTPUTS_H
#define CLI_LOG_OUTPUTS_H

#include "base/log.h"
#include "exchange/graph.h"

/* How many levels below the log's own one of them wants to hear (struct log_settings). */
int log_outputs_hear(const struct graph *graph);
/* From now on those of this graph, whose logs are open; NULL: none. */
void log_outputs_set(const struct graph *graph);

#endif
