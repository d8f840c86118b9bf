/* What containers are called in the configuration, and which of them are one thing. Pure. */
#ifndef PROVIDER_DOCKER_NAMING_H
#define PROVIDER_DOCKER_NAMING_H

#include "provider/docker/container.h"

/* The value of a label, by its exact key; data NULL: there is none. */
struct str naming_label(const struct container *container, struct str key);
/* `name` with everything between letters and digits as one '-': "/my_app.web" is "my-app-web". What is not ASCII counts as a
 * letter. Lives in `arena`. */
struct str naming_normalize(struct str name, struct arena *arena);
/* Of a container: Compose's service and project ("api-shop"), the Swarm service, or its own name; normalized. */
struct str naming_of(const struct container *container, struct arena *arena);
/* Who belongs to the same Compose or Swarm service has the same family; empty: it stands for itself. */
struct str naming_family(const struct container *container, struct arena *arena);

#endif
