/* A process of the admin's, without workers: a configuration compiled and in use, and calls answered from it. */
#ifndef RUNNING_H
#define RUNNING_H

#include <jansson.h>

#include "admin/admin.h"
#include "admin/call.h"

struct running {
    struct worker *control;
    struct admin_call call;           /* the last one */
    bool called;
};

/* Fails the test when the configuration has mistakes. `prepare` may be NULL: it is given the model before it is compiled. */
void running_start(struct running *running, const char *yaml, void (*prepare)(struct model *model));
/* Another configuration takes its place. */
void running_use(struct running *running, const char *yaml, void (*prepare)(struct model *model));
void running_stop(struct running *running);

/* GET; the answer's text, until the next call. */
const char *running_get(struct running *running, const char *path, const char *query);
/* The same parsed, with the status asserted; the caller decrefs. */
json_t *running_json(struct running *running, const char *path, const char *query, int status);

#endif
