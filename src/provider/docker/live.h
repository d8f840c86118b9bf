/* The engine as it is now: containers are listed once, events say what changed since, and a lost engine is looked for with
 * back-off while everything that was known keeps being served.
 *
 * The engine is read through a helper process (provider/docker/helper.h) which can list, inspect and follow events, and nothing
 * else; this side never opens the engine's socket.
 *
 *     helper -> watcher (one for each engine that is configured) -> struct inventory -> discover -> ports are probed -> on_change
 *
 * on_change is called when something changed that the configuration follows from: not for every event, and after events that come
 * together were gathered for a few milliseconds; a start is held back a moment (50 ms at most) for its port's first answer, so
 * that a container which is ready makes one change, not two.
 *
 * Threading: the control thread's loop. One per process. */
#ifndef PROVIDER_DOCKER_LIVE_H
#define PROVIDER_DOCKER_LIVE_H

#include "model/model.h"
#include "net/loop.h"
#include "provider/docker/discover.h"

struct docker_live_owner {
    void *owner;
    /* `urgent`: a server takes requests that did not, or must not be asked any more although nobody told it to stop: people wait.
     * Everything else can wait for more of its kind. */
    void (*on_change)(void *owner, bool urgent);
    /* A container got its stop signal: these servers (URLs) are about to go; or it has ended: they are `gone`, and their addresses may
     * be another's in a moment. Called at once, before on_change. */
    void (*on_leaving)(void *owner, const struct strs *urls, bool gone);
};

/* The helper processes of the engines that are configured are started here, while we may still open what they need: before root is
 * given up, before there are threads. An engine that a later configuration names is read with the rights that are left then. What
 * goes wrong is told by the first reading. */
void docker_live_prepare(const struct config *config);
void docker_live_start(struct loop *loop, const struct docker_live_owner *owner);
/* What is configured now: engines that are new are read, those no longer named are let go, the others go on. Called with every
 * configuration that is taken up, before the first reading too; `config` stays until the next call or docker_live_stop. */
void docker_live_use(const struct config *config);
/* The first reading of every engine is there, or has failed: before, the process waits (see docker_live_wait). */
bool docker_live_settled(void);
/* Turns the loop until the first reading is there, at most `patience` ns: at the start, so that the first configuration has its
 * containers. */
void docker_live_wait(struct loop *loop, int64_t patience);
/* Adds what is known now to a model whose options are bound: a part for each provider that is configured. Ports that were not
 * asked yet are from now on. */
void docker_live_fill(struct model *model, struct diag *diag);
void docker_live_stop(void);

/* For the API. Texts are views that live until the loop turns. */
struct docker_live_status {
    struct str provider, endpoint;
    bool connected;
    struct str version;                  /* "20.10.24, API 1.41" */
    struct str why;                      /* not connected: why, and what to do; empty: connected */
    int64_t since;                       /* Unix ns of the last change of `connected` */
    uint64_t events, readings;           /* events taken, whole lists read */
};
size_t docker_live_statuses(struct docker_live_status *out, size_t max);

#endif
