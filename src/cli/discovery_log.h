/* Containers and services that were discovered: what became of each goes to the log when it changes. Control thread. */
#ifndef CLI_DISCOVERY_LOG_H
#define CLI_DISCOVERY_LOG_H

#include "model/model.h"

/* `before`: the model that ran until now; NULL: none. */
void discovery_log(const struct model *before, const struct model *now);

#endif
