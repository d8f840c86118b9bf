/* `portico whoami`: a server that tells what it was sent, to stand behind a proxy that is tried out or tested. One thread.
 *
 *     /            the request as text           /api        the same as JSON
 *     /health      200; POST sets what it says   /bench      "1"
 *     /data?size=  that many bytes               /ws, /echo  a WebSocket that sends back what it gets
 *     ?wait=1s     with any of them: answers later
 *
 * whoami.c is the command and the process, whoami_visit.c one request, whoami_answer.c what is said, whoami_echo.c the
 * WebSocket. */
#ifndef CLI_WHOAMI_H
#define CLI_WHOAMI_H

#include "base/vec.h"
#include "net/listener.h"
#include "net/signals.h"
#include "proto/h1/server.h"
#include "proto/ws/frame.h"

struct whoami {
    struct worker worker;
    struct listener listener;
    struct signals signals;
    struct server_settings settings;
    struct list connections;
    struct timer grace;               /* after a first signal: what still runs is cut */
    bool stopping;
    struct str name;                  /* --name; may be empty */
    char host_name[256];
    VEC(char *) addresses;            /* of this machine */
    int health;                       /* the status that /health answers */
};

/* One request. Lives in a pooled chunk with its arena; made by whoami_handler. */
struct visit {
    struct stream stream;             /* first: one pointer serves both */
    struct whoami *whoami;
    struct arena arena;
    struct chunk *memory;
    struct timer timer;
    enum { VISIT_HEAD, VISIT_BODY, VISIT_DELAY, VISIT_ANSWER, VISIT_SEND, VISIT_ECHO, VISIT_END } stage;
    bool gone, waited, broken;
    uint64_t body_bytes;              /* of the request, without its framing */
    char body_start[16];              /* its first bytes */
    struct response response;
    struct chunkq out;                /* what is to go */
    uint64_t data_left;               /* of /data, not yet in `out` */
    struct ws_reader reader;
    struct chunkq in, message;        /* of a WebSocket: what came, what of a message is whole */
    bool closing;                     /* a close frame is in `out` */
};

extern struct stream_handler whoami_handler;      /* its context is the struct whoami */

/* Fills the response and `out` or `data_left`. False: it is a WebSocket now. */
bool whoami_answer(struct visit *visit);
/* A small text under a status. */
void whoami_answer_text(struct visit *visit, int status, struct str text);
/* How long the request wants to wait, ns; -1: that is no duration. */
int64_t whoami_delay(const struct request *request, struct arena *arena);
/* Adds up to `room` bytes of /data to `out`. */
void whoami_add_data(struct visit *visit, size_t room);

/* Begins; sends back what has come, as far as that goes now. True: it is over. */
void whoami_echo_begin(struct visit *visit, struct str key);
bool whoami_echo(struct visit *visit);

#endif
