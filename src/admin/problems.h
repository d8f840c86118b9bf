/* What is not as it should be now, in plain words, with what can be done about it. Each kind of problem has a file of its own
 * (problems_*.c) that registers a source; whoever looks gets them worst first. Control thread. */
#ifndef ADMIN_PROBLEMS_H
#define ADMIN_PROBLEMS_H

#include "base/arena.h"
#include "base/registry.h"

enum problem_severity { PROBLEM_ERROR, PROBLEM_WARNING, PROBLEM_INFO };

struct problem {
    enum problem_severity severity;
    const char *kind;                 /* "configuration", "server", "service", "certificate", "limit", "traffic", "process", "leftOut" */
    const char *subject_kind;         /* "server", "router", "file", ... */
    struct str subject;               /* its name */
    struct str text, hint;            /* a sentence each; hint empty: none */
    int64_t since;                    /* Unix seconds; 0: unknown */
};

/* Problems that are being gathered; texts in `arena`. */
struct problems {
    struct arena *arena;
    struct problem *items;
    size_t count, capacity;
};

/* Adds what its kind of problem has to say. */
struct problem_source {
    void (*gather)(struct problems *problems);
};
REGISTRY(problem_source, const struct problem_source);

#define PROBLEMS_MAX 500              /* that are shown */

/* One more, zeroed but for what is given: valid until the next one. */
struct problem *problem_add(struct problems *problems, enum problem_severity severity, const char *kind, const char *subject_kind,
                            struct str subject);
/* All of them, worst first. */
struct problems problems_gather(struct arena *arena);
/* How many; at most a second old. */
size_t problems_count(void);

#endif
