/* One try at one server: connecting, sending, and what a failure means for trying again. Threading: the worker's. */
#ifndef EXCHANGE_ATTEMPT_H
#define EXCHANGE_ATTEMPT_H

#include "exchange/exchange.h"
#include "upstream/server.h"

/* A try at a server as variables and logs tell of it. Those that gave no response which was kept are remembered in the exchange's
 * arena; the last one is described when somebody asks. */
struct former_attempt {
    struct former_attempt *before;
    struct str address;               /* "127.0.0.1:8080" */
    int status;                       /* of its response; 502 or 504 where none came */
    int64_t connect_time, header_time, response_time;       /* ns; -1: it did not come so far */
    uint64_t bytes_sent, bytes_received, body_length;
    bool redirected;                  /* the next one belongs to another location */
};

/* The one that is under way or was the last; false: there is none that is not among the former ones. */
bool attempt_present(struct exchange *x, struct former_attempt *ret_attempt);
/* Before the present one is dropped: it joins the former ones. `status`: of its response, or what stands for its failure.
 * `redirected`: the request goes to another location. */
void attempt_remember(struct exchange *x, int status, bool redirected);

/* Nobody could be asked: who would have been stands among the former ones. */
void attempt_note(struct exchange *x, struct str address, int status);

/* Opens a connection to x->server. OK, AGAIN, or why not. */
enum status attempt_open(struct exchange *x);
/* How long the connection may take (ns; 0: any time): of who is about to stop, or has, no more than a moment. It may be gone by
 * then, and an address that nobody has does not even refuse. */
int64_t attempt_dial_limit(const struct exchange *x);
/* The same for one that is being opened already: some servers are leaving since. */
void attempt_hasten(struct exchange *x);
/* Queues the head and prepares the body's relay; sends what is there. */
enum status attempt_send(struct exchange *x);
/* Goes on sending the request's body. OK: it is through (or given up by the server, which may still answer). */
enum status attempt_upload(struct exchange *x);
/* The try has failed: the server's account is told, the connection is dropped, and the step that follows is given:
 * PICK_SERVER when another try is safe and sensible, else ANSWER. */
__attribute__((noinline)) enum step attempt_failed(struct exchange *x, enum status status);
/* The try has brought a response head. */
void attempt_answered(struct exchange *x);
/* The connection alone, early: everything that was to come over it has come. */
void attempt_give_back(struct exchange *x);
/* Lets go of the connection and the server. `reusable`: both messages ended as they should. */
static inline void attempt_release(struct exchange *x, bool reusable)
{
    if (x->upload_began) {
        x->upload.filters = NULL;      /* they belong to the exchange and serve the next try */
        relay_release(&x->upload);
        x->upload_began = false;
    }
    if (x->upstream_bound) {
        x->upstream_bound = false;
        x->upstream.ops->release(&x->upstream, reusable);
    }
    if (x->server != NULL) {
        server_end(x->server, x->worker->index, x->weighed);
        x->asked = x->server;
        x->server = NULL;
    }
}

#endif
