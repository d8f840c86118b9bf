/* How far a container is, and the words for it. Pure. */
#ifndef PROVIDER_DOCKER_READINESS_H
#define PROVIDER_DOCKER_READINESS_H

#include "provider/docker/network.h"

/* It runs and its check, if it has one, is content. Otherwise says at the candidate why not. */
bool readiness_of_container(struct candidate *candidate, struct arena *arena);
bool readiness_runs(const struct container *container);
/* Says at the candidate what an answer other than PORT_OPEN means. `guessed`: no label names the port. */
void readiness_tell_port(struct candidate *candidate, enum port_answer answer, const struct reach *reach, bool guessed,
                         struct arena *arena);

#endif
