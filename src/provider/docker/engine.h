/* An engine, seen from the process that faces the network: it is asked through a helper process of its own (helper.h).
 *
 * The helper is started with the engine and again by the next question when it has ended; whoever asks holds back-off. Questions
 * under way are bounded (ENGINE_QUESTIONS_MAX), and so are answers (ANSWER_BYTES_MAX).
 *
 * Threading: the control thread; engine_new may be called before there is a loop. No callback of a call frees the engine. */
#ifndef PROVIDER_DOCKER_ENGINE_H
#define PROVIDER_DOCKER_ENGINE_H

#include "base/list.h"
#include "base/text.h"
#include "model/docker.h"
#include "net/loop.h"
#include "provider/docker/frame.h"

#define ENGINE_QUESTIONS_MAX 24
#define ENGINE_API_MINOR 51                  /* the newest version that we know to be fit: 1.51 */

struct engine;

struct engine_answer {
    enum answer_failure failure;             /* FAILURE_NONE: `status` and the body are whole */
    unsigned status;                         /* HTTP */
    int error;                               /* errno of FAILURE_CONNECT */
    struct str body;                         /* valid during the call; of a stream: empty */
};

/* One question, memory of the caller's until it is done or was taken back. */
struct engine_call {
    struct list link;
    uint32_t number;                         /* 0: not under way */
    enum question question;
    char id[CONTAINER_ID_SIZE];              /* of QUESTION_CONTAINER */
    void (*on_begin)(struct engine_call *call, unsigned status);               /* may be NULL */
    void (*on_bytes)(struct engine_call *call, struct str bytes);              /* of a stream; NULL: gathered for on_done */
    /* The last word; the call may be asked again from here. */
    void (*on_done)(struct engine_call *call, const struct engine_answer *answer);
    struct text body;
    void *owner;
};

/* Starts the helper with the rights that this process has now. Never NULL: what went wrong is said by the first answer. */
struct engine *engine_new(const struct docker_config *config);
/* Calls under way are dropped without a word. */
void engine_free(struct engine *engine);
/* From now on answers come in. */
void engine_attach(struct engine *engine, struct loop *loop);
/* Whether it is the same endpoint, asked in the same way. */
bool engine_matches(const struct engine *engine, const struct docker_config *config);
/* The version that questions are asked in, "1.41": the engine's or ours, whichever is older. */
void engine_set_api_minor(struct engine *engine, unsigned minor);

/* False: too many are under way, or no helper can be started (errno); on_done is not called then. */
bool engine_ask(struct engine *engine, struct engine_call *call);
/* Takes a question back; nothing happens when it is not under way. */
void engine_cancel(struct engine *engine, struct engine_call *call);

struct str engine_endpoint(const struct engine *engine);
/* For the log and the tests: the process that opens the socket; 0: none just now. */
int engine_helper(const struct engine *engine);
/* Why an answer is none, and what to do about it, in plain words: "no such file /var/run/docker.sock: does the engine run, ...". */
void engine_explain(const struct engine *engine, const struct engine_answer *answer, struct text *out);

#endif
