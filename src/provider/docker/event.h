/* One line of an engine's stream of events, as far as anything follows from it. Pure.
 *
 * Docker and Podman tell the same with different words: what Docker calls "destroy" is "remove" or "REMOVE" there, a `kill` has no
 * signal, and the network's events name the container where Docker names the network. */
#ifndef PROVIDER_DOCKER_EVENT_H
#define PROVIDER_DOCKER_EVENT_H

#include "base/str.h"
#include "provider/docker/frame.h"

enum event_kind {
    EVENT_NONE,              /* nothing that concerns us */
    EVENT_CHANGED,           /* the container is to be looked at again */
    EVENT_STARTED,           /* the same; what was known of its ports is void */
    EVENT_KILLED,            /* a signal was sent to it: `signal`, 0: which is not said */
    EVENT_DIED,
    EVENT_REMOVED,
    EVENT_SERVICE            /* of Swarm's services */
};

struct engine_event {
    enum event_kind kind;
    char id[CONTAINER_ID_SIZE];          /* of the container */
    int signal;
    int exit_code;                       /* of EVENT_DIED */
    bool of_task;                        /* the container is a Swarm task's */
};

/* EVENT_NONE for what is no event at all, too. */
struct engine_event event_read(struct str line);

#endif
