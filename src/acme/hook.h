/* A command of the user's, run without a shell and watched without waiting: COMMAND ARGUMENT... with what it is to do behind
 * its own arguments. What it prints goes into the error text.
 *
 * Ownership: a hook lives until its callback has returned, or until it is cancelled or abandoned. Threading: the loop's. */
#ifndef ACME_HOOK_H
#define ACME_HOOK_H

#include "net/loop.h"

struct hook;

#define HOOK_ARGUMENTS_MAX 32

struct hook_call {
    struct str command;             /* its arguments are separated by spaces; found in PATH */
    struct str arguments[3];        /* appended; an empty one ends them */
    int64_t limit;                  /* ns; then its process group is ended, first kindly */
    /* `good`: exit status 0. `what`: else why not, with what it printed: "exit status 1: no such zone". Never before hook_start
     * returns. */
    void (*on_done)(void *owner, bool good, struct str what);
    void *owner;
};

struct hook *hook_start(struct loop *loop, const struct hook_call *call);
/* Ends its process group, without a callback. NULL is allowed; not from within on_done. */
void hook_cancel(struct hook *hook);
/* Lets it run on by itself, without a callback. NULL is allowed; not from within on_done. */
void hook_abandon(struct hook *hook);

#endif
