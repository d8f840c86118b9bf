/* Compiling the regular expressions of a middleware's options. Control thread only. */
#ifndef MIDDLEWARE_REGEXES_H
#define MIDDLEWARE_REGEXES_H

#include "base/option.h"
#include "exchange/compile.h"
#include "route/regex.h"

struct regexes {
    struct regex **items; /* in the snapshot's arena, each freed by regexes_release */
    size_t count;
};

/* NULL after reporting at `span`. */
struct regex *regexes_compile_one(struct str pattern, struct span span, struct compile *compile);
/* The patterns of a list option; `key` names it under `origin`. False after reporting every bad
 * one. */
bool regexes_compile(struct regexes *regexes, const struct strs *patterns,
                     const struct node *origin, struct str key, struct compile *compile);
void regexes_release(struct regexes *regexes);

#endif
