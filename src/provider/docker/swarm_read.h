/* What a Swarm's manager says of services and their tasks -> a container for each task that runs or is about to. Pure. */
#ifndef PROVIDER_DOCKER_SWARM_READ_H
#define PROVIDER_DOCKER_SWARM_READ_H

#include "provider/docker/container.h"

struct swarm_task {
    struct container container;          /* `id` is the task's */
    struct str container_id;             /* on its node; empty: there is none yet */
};
struct swarm_tasks {
    struct swarm_task *items;
    size_t count;
};

/* The answers to QUESTION_SERVICES and QUESTION_TASKS; all in `arena`. False: one of them is none. */
bool swarm_read(struct str services, struct str tasks, struct arena *arena, struct swarm_tasks *ret_tasks);

#endif
