/* A table with an option of every type, for the tests of what is derived from tables. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "base/option.h"

enum sample_level { SAMPLE_LOW, SAMPLE_HIGH };

struct sample_headers {
    const struct node *origin;
    struct strmap add;
    bool strict;
};
struct sample_strip {
    const struct node *origin;
    struct strs prefixes;
};
struct sample_middleware {
    const struct node *origin;
    struct choice type;
};
struct sample_server {
    const struct node *origin;
    struct str url;
    int64_t weight;
};
struct sample_router {
    const struct node *origin;
    struct str rule;
    int64_t priority;
    struct strs middlewares;
    struct objects servers;
    struct sample_headers *headers;
};
struct sample_limits {
    const struct node *origin;
    int64_t timeout;
    int64_t body;
    double ratio;
};
struct sample {
    const struct node *origin;
    struct str address;
    bool watch;
    int level;
    int64_t workers;
    struct strs hosts;
    struct str password;
    struct sample_limits limits;
    struct sample_headers *headers;
    struct sample_headers *defaults;
    struct objects routers;
    struct objects middlewares;
};

extern const struct option_table sample_table;

#endif
