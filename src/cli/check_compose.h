/* Compose files for `check`: what the proxy in them would make of the labels in them, without an engine. */
#ifndef CLI_CHECK_COMPOSE_H
#define CLI_CHECK_COMPOSE_H

#include "model/model.h"

/* Never NULL. The options are those of the service that is the proxy (an image traefik or portico, or --providers.docker in its
 * command); without one, what labels refer to is taken to be there, with a note. `diag` is inited in the model's arena. */
struct model *check_compose_load(const char *const *paths, size_t count, struct diag *diag);
/* After compiling: what is left out while a proxy runs is a mistake for who asks; what lies in a container's files is none. */
void check_compose_judge(const struct model *model, struct diag *diag);

#endif
