/* Stays with one engine: asks for its version, opens its stream of events, has everything read, hands on what happens, and begins
 * anew with back-off when anything of that fails.
 *
 *     LOST ──version──> MEETING ──events──> LISTENING ──stream is open: owner reads──> READING ──follower_complete──> FOLLOWING
 *       ^                  │                   │                                         │                              │
 *       └──────────────────┴───────────────────┴─────────── follower_fail, end of stream ┴──────────────────────────────┘
 *
 * The stream is open before the first list is asked for, so nothing that happens in between is missed, whatever the clocks say.
 * What is known stays the owner's and is served while the engine is lost; that it is lost is said once, and that it is back.
 *
 * Ownership: a member of its owner; the engine is the owner's and outlives it. Threading: the control thread. */
#ifndef PROVIDER_DOCKER_FOLLOWER_H
#define PROVIDER_DOCKER_FOLLOWER_H

#include "provider/docker/engine.h"
#include "provider/docker/event.h"

enum follower_state { FOLLOWER_LOST, FOLLOWER_MEETING, FOLLOWER_LISTENING, FOLLOWER_READING, FOLLOWER_FOLLOWING };

struct follower;
struct follower_ops {
    enum question events;
    void (*read)(struct follower *follower);             /* everything, from the start; then follower_complete */
    void (*on_event)(struct follower *follower, const struct engine_event *event);
    void (*on_lost)(struct follower *follower);          /* what is under way is to be taken back; may be NULL */
};

struct follower {
    const struct follower_ops *ops;
    struct engine *engine;
    struct loop *loop;
    struct str provider;                 /* "docker": for the log */
    bool watch;                          /* false: everything is read once, and that was it */
    enum follower_state state;
    struct engine_call version_call, events_call;
    struct timer timer;                  /* of the next try */
    int64_t pause;                       /* ns; before it */
    struct text line;                    /* of the stream, not whole yet */
    bool settled;                        /* the first reading is there, or has failed */
    bool is_podman;
    /* For people. */
    bool connected, said;                /* what was said last, if anything was */
    int64_t said_at;
    uint64_t said_why;                   /* hash of the reason that was said */
    int64_t since;
    struct text version, why;
    uint64_t events, readings;
};

void follower_init(struct follower *follower, const struct follower_ops *ops, struct engine *engine, struct loop *loop,
                   struct str provider, bool watch);
void follower_start(struct follower *follower);
void follower_stop(struct follower *follower);
/* The owner has read everything. */
void follower_complete(struct follower *follower);
/* An answer is none: begins anew later. */
void follower_fail(struct follower *follower, const struct engine_answer *answer);
/* The same with words of one's own. */
void follower_fail_with(struct follower *follower, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Asks; when that cannot even be asked the follower fails. */
bool follower_ask(struct follower *follower, struct engine_call *call);

#endif
