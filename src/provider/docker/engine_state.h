/* What engine.c and engine_explain.c share. */
#ifndef PROVIDER_DOCKER_ENGINE_STATE_H
#define PROVIDER_DOCKER_ENGINE_STATE_H

#include "base/vec.h"
#include "provider/docker/engine.h"

struct engine {
    struct endpoint_frame endpoint;
    struct loop *loop;                 /* NULL: not attached yet */
    struct watch watch;
    int fd;                            /* to the helper; -1: there is none */
    int pid;
    bool started, had_root;            /* the first helper was started, by root */
    bool shut_out;                     /* the last answer: the socket does not let the helper in */
    unsigned api_minor;
    uint32_t last_number;
    unsigned under_way;
    struct list calls;
    VEC(int) ended;                    /* helpers that are not reaped yet */
};

#endif
