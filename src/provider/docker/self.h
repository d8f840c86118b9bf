/* Which container of an engine we run in, if any: found by what the kernel and the engine show inside of one, and believed only when
 * the engine knows a running container by that id.
 *
 * Docker and Podman mount /etc/hostname and its like from a folder named after the container; with cgroup v1, and v2 without a
 * namespace of its own, the id stands in the cgroup's path; the host's name is the id's beginning unless it was changed. */
#ifndef PROVIDER_DOCKER_SELF_H
#define PROVIDER_DOCKER_SELF_H

#include "provider/docker/container.h"
#include "provider/docker/frame.h"

#define SELF_HINTS_MAX 4

struct self_hints {
    char ids[SELF_HINTS_MAX][CONTAINER_ID_SIZE];      /* the surest first; whole ids or beginnings of 12 digits */
    size_t count;
};

/* Reads /proc and the host's name. */
void self_look(struct self_hints *ret_hints);
/* Adds what a text of /proc/self/mountinfo, of /proc/self/cgroup, or a host's name tells. Pure. */
void self_add_mounts(struct self_hints *hints, struct str mountinfo);
void self_add_cgroup(struct self_hints *hints, struct str cgroup);
void self_add_hostname(struct self_hints *hints, struct str hostname);
/* Sets the inventory's self_*; texts are views into it. */
void self_apply(const struct self_hints *hints, struct inventory *inventory);

#endif
