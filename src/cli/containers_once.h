/* What runs in the engines that a configuration names, for a command that looks once: explain. Blocks for a moment. */
#ifndef CLI_CONTAINERS_ONCE_H
#define CLI_CONTAINERS_ONCE_H

#include "model/model.h"

/* Adds what containers say to a model whose options are bound. An engine that cannot be read is a warning. Nothing happens where
 * no engine is configured. */
void containers_read_once(struct model *model, struct diag *diag);

#endif
