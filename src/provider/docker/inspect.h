/* What an engine says of one container -> struct container. Bounded, and tolerant: engines differ and leave members out. Pure. */
#ifndef PROVIDER_DOCKER_INSPECT_H
#define PROVIDER_DOCKER_INSPECT_H

#include <jansson.h>

#include "base/option.h"
#include "provider/docker/container.h"

struct inspected {
    struct container container;
    int64_t started;                     /* Unix ns of its last start */
    int stop_signal;                     /* what `stop` sends: SIGTERM mostly */
};

/* The answer to QUESTION_CONTAINER; copied into the arena. False: it is no such answer. */
bool inspect_read(struct str json, struct arena *arena, struct inspected *ret_inspected);
/* The answer to QUESTION_CONTAINERS: their ids, in the arena. False: it is no such answer. */
bool inspect_read_list(struct str json, struct arena *arena, struct strs *ret_ids);
/* "SIGTERM", "TERM", "15" -> 15; 0: it is no signal. */
int inspect_signal(struct str name);
/* As {"key": "value", ...}, in the arena. Of more than anybody writes none is taken, and that is noted: one that were left out might
 * be the one that names a router's authentication. */
void inspect_read_labels(const json_t *json, struct arena *arena, struct container *container);

#endif
