/* Signals as events of a loop (signalfd). Blocks them in the calling thread and those it starts later. */
#ifndef NET_SIGNALS_H
#define NET_SIGNALS_H

#include "net/loop.h"

struct signals {
    struct watch watch;
    struct loop *loop;
    void (*on_signal)(struct signals *signals, int number);
    void *owner;
};

/* Before signals_block: SIGINT and SIGQUIT are heard although they were ignored when the process began. */
void signals_hear_ignored(void);
/* Before any thread is started: blocks SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2 and ignores
 * SIGPIPE. SIGINT and SIGQUIT stay ignored where they were when the process began. */
void signals_block(void);
/* False with errno. */
bool signals_start(struct signals *signals, struct loop *loop,
                   void (*on_signal)(struct signals *signals, int number), void *owner);
/* The signals stay blocked. */
void signals_stop(struct signals *signals);

#endif
