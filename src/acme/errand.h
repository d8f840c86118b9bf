/* Work that takes seconds of a CPU (an RSA key), on a thread of its own, its result brought back to the loop. */
#ifndef ACME_ERRAND_H
#define ACME_ERRAND_H

#include "net/loop.h"

struct errand;

struct errand_call {
    void *(*work)(int argument);            /* on the thread */
    int argument;
    void (*on_done)(void *owner, void *result);     /* on the loop's; never before errand_run returns */
    void (*discard)(void *result);          /* of a cancelled errand; also given NULL */
    void *owner;
};

/* Where there is no thread to be had the work is done at once. */
struct errand *errand_run(struct loop *loop, const struct errand_call *call);
/* Without a callback; the thread ends by itself. NULL is allowed; not from within on_done. */
void errand_cancel(struct errand *errand);

#endif
