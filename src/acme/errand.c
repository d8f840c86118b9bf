#include "acme/errand.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"

/* Belongs to both sides: to the loop's until on_done or cancel, to the thread until it has posted. */
struct errand {
    struct message message;
    struct loop *loop;
    struct errand_call call;
    void *result;
    bool cancelled;             /* under the mutex until the message is on its way, then the loop's alone */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void drop(struct errand *errand)
{
    errand->call.discard(errand->result);
    free(errand);
}

static void deliver(struct message *message)
{
    struct errand *errand = container_of(message, struct errand, message);
    if (errand->cancelled) {
        drop(errand);
        return;
    }
    struct errand_call call = errand->call;
    void *result = errand->result;
    free(errand);
    call.on_done(call.owner, result);
}

/* A loop whose errands were cancelled may be gone: nothing is posted to it. */
static void *run(void *argument)
{
    struct errand *errand = argument;
    errand->result = errand->call.work(errand->call.argument);
    pthread_mutex_lock(&mutex);
    bool cancelled = errand->cancelled;
    if (!cancelled)
        loop_post(errand->loop, &errand->message);
    pthread_mutex_unlock(&mutex);
    if (cancelled)
        drop(errand);
    return NULL;
}

struct errand *errand_run(struct loop *loop, const struct errand_call *call)
{
    struct errand *errand = memory_zalloc(sizeof(*errand));
    pthread_attr_t attributes;
    pthread_t thread;
    *errand = (struct errand){.message = {.deliver = deliver}, .loop = loop, .call = *call};
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, run, errand) != 0)
        run(errand);
    pthread_attr_destroy(&attributes);
    return errand;
}

void errand_cancel(struct errand *errand)
{
    if (errand == NULL)
        return;
    pthread_mutex_lock(&mutex);
    errand->cancelled = true;
    pthread_mutex_unlock(&mutex);
}
