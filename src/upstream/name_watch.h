/* A server's name, or a service's (SRV records), looked up again and again: when the answer's time is over, and after a failure with
 * growing patience. While nobody answers, the former places stay; where DNS says that there are none, there are none.
 *
 * Ownership: the watch is its owner's, and so are the texts in it; both last until name_watch_end.
 * Threading: the control thread, on whose loop all of this happens (upstream/resolve.h starts it). */
#ifndef UPSTREAM_NAME_WATCH_H
#define UPSTREAM_NAME_WATCH_H

#include "net/loop.h"
#include "upstream/lookup.h"

struct name_watch {
    /* Set by the owner. */
    struct str name, service;             /* service empty: addresses of the name */
    struct lookup_rule rule;
    void (*on_change)(struct name_watch *watch);      /* other places than before; never from within name_watch_begin */
    void (*on_failure)(struct name_watch *watch, const char *why);      /* the first of a row; may be NULL */

    struct lookup_place *places;          /* as last known */
    unsigned count;

    /* Private. */
    struct timer timer;
    struct lookup lookup;
    unsigned failures;
    bool begun, told;                     /* told: of the present failure */
};

/* Are names watched in this process? False where a configuration is only looked at. */
bool name_watch_runs(void);
/* What is known already is there when it returns. */
void name_watch_begin(struct name_watch *watch);
/* Also of one that was never begun. */
void name_watch_end(struct name_watch *watch);

/* Every watch is told to look no more: for upstream/resolve.c, which also starts them. */
void name_watches_start(struct loop *loop);
void name_watches_stop(void);
/* The control thread's loop, for messages to it from who ends a watch on another thread; NULL: names are not watched. */
struct loop *name_watch_loop(void);

#endif
