/* The life of a request as one table: a step, what it does, and which steps may follow. steps.c has a function for
 * each; exchange_run calls them until one waits. An assertion checks every edge that is taken.
 *
 *        step             text                                          may be followed by */
#define STEP_TABLE(X) \
    X(AWAIT_HEAD,     "waiting for the request head",                EDGE(FIND_ROUTE) | EDGE(ANSWER) | EDGE(FINISH)) \
    X(FIND_ROUTE,     "looking for a router",                        EDGE(RUN_REQUEST) | EDGE(ANSWER)) \
    X(RUN_REQUEST,    "in the middlewares, inwards",                 EDGE(PICK_SERVER) | EDGE(FIND_ROUTE) | EDGE(ANSWER) | EDGE(FINISH)) \
    X(PICK_SERVER,    "choosing a server",                           EDGE(CONNECT) | EDGE(FIND_ROUTE) | EDGE(ANSWER) | EDGE(FINISH)) \
    X(CONNECT,        "connecting to the server",                    EDGE(SEND_HEAD) | EDGE(PICK_SERVER) | EDGE(ANSWER) | EDGE(FINISH)) \
    X(SEND_HEAD,      "sending the request head",                    EDGE(AWAIT_RESPONSE) | EDGE(PICK_SERVER) | EDGE(ANSWER) | EDGE(FINISH)) \
    X(AWAIT_RESPONSE, "waiting for the server's answer",             EDGE(RUN_RESPONSE) | EDGE(PICK_SERVER) | EDGE(ANSWER) | EDGE(FINISH)) \
    X(ANSWER,         "making an answer",                            EDGE(RUN_RESPONSE)) \
    X(RUN_RESPONSE,   "in the middlewares, outwards",                EDGE(RELAY_BODIES) | EDGE(PICK_SERVER) | EDGE(FIND_ROUTE) | EDGE(ANSWER) | EDGE(FINISH)) \
    X(RELAY_BODIES,   "moving the bodies",                           EDGE(FINISH)) \
    X(FINISH,         "done",                                        0)
#ifndef EXCHANGE_STEP_H
#define EXCHANGE_STEP_H

enum step {
#define X(name, text, next) STEP_##name,
    STEP_TABLE(X)
#undef X
    STEP_COUNT,
    STEP_WAIT = STEP_COUNT      /* what a step function gives when it can do no more now */
};

/* "await_response": for logs and the API. */
const char *step_name(enum step step);
const char *step_text(enum step step);
/* A bit for each step that may follow; in the header because every edge of every request is checked. */
extern const unsigned step_followers[STEP_COUNT];
/* Whether the table has the edge. */
static inline _Bool step_may_follow(enum step from, enum step to)
{
    return (step_followers[from] >> to & 1) != 0;
}

#endif
