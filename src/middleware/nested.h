/* Middlewares inside of a middleware (anyOf, methods): compiled with it, run by it, each with memory of its own in the exchange.
 *
 * A response passes those whose on_request said NEXT, in reverse order; on_finish is due to all that were entered, as in a router's
 * chain. Threading: compiled lists are const; runs are the exchange's. */
#ifndef MIDDLEWARE_NESTED_H
#define MIDDLEWARE_NESTED_H

#include "exchange/middleware.h"

#define NESTED_MAX 32

struct nested {
    struct middleware **items;
    unsigned count;
    size_t memory;
};

/* In the memory of the one that they are inside of; begins zeroed. */
struct nested_run {
    const struct nested *nested;      /* NULL: not begun */
    char *memory;
    unsigned at;                      /* whose on_request is next, or is called again */
    uint32_t entered, passed;         /* a bit for each */
};

/* The names that the option `key` of `origin` has. False after reporting. */
bool nested_compile(struct nested *nested, const struct strs *names, const char *key, const struct node *origin,
                    struct compile *compile);
/* Once; false: no memory. */
bool nested_begin(struct nested_run *run, const struct nested *nested, struct exchange *x);
/* on_request of the one at run->at, which moves on when it says NEXT. */
enum verdict nested_ask(struct nested_run *run, struct exchange *x);
/* on_response of those that have passed the request on; called again after WAIT it goes on where it was. */
enum verdict nested_on_response(struct nested_run *run, struct exchange *x);
void nested_finish(struct nested_run *run, struct exchange *x);

#endif
