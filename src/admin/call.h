/* One request to the API: it comes in on a worker (service api@internal), is answered on the control thread, and its answer goes
 * back to the worker, whose exchange waits meanwhile (admin/ask.h).
 *
 * Threading: everything that a route sees happens on the control thread. Ownership: the call belongs to whoever made it; a route
 * that answers later keeps the pointer and calls admin_finish exactly once. */
#ifndef ADMIN_CALL_H
#define ADMIN_CALL_H

#include <stdarg.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/registry.h"
#include "http/message.h"
#include "net/addr.h"

#define ADMIN_PARAMETERS_MAX 4
#define ADMIN_BODY_MAX (64 << 10)             /* bytes of a request's body */
#define ADMIN_ANSWER_MAX ((size_t)256 << 20)

struct survey;

struct admin_call {
    struct arena arena;
    /* The request. */
    enum method method;
    struct str path;                  /* below the base path: "/api/http/routers/api@file", still encoded */
    struct str query;                 /* without '?'; may be empty */
    struct str parameters[ADMIN_PARAMETERS_MAX];      /* of the route's {}, decoded */
    struct str body, content_type, accept, host, user;
    struct ip peer;
    bool may_write;                   /* it has the role, and it is no other site's page that asks */
    /* The answer. `status` is 200 at first. */
    int status;
    struct str answer_type;           /* "application/json" at first */
    struct str next_page;             /* X-Next-Page; empty: none */
    struct str file_name;             /* Content-Disposition: something to be saved; empty: none */
    struct str allow;                 /* Allow; empty: none */
    struct text out;
    struct json json;                 /* writes to `out` */
    void (*finished)(struct admin_call *call);      /* of whoever made the call: it is answered */
};

struct admin_route {
    const char *method;               /* "GET" (HEAD as well) or "POST" */
    const char *path;                 /* "/api/http/routers/{name}": a {} takes one segment */
    const char *summary;              /* one sentence */
    /* True: answered. False: admin_finish will be called. A POST is called only when call->may_write. */
    bool (*answer)(struct admin_call *call);
};
REGISTRY(admin_route, const struct admin_route);

/* The answer of a route that said false is complete. */
void admin_finish(struct admin_call *call);
/* {"message": "..."} with a status; what was written is dropped. Gives true, for `return admin_refuse(...)`. */
bool admin_refuse(struct admin_call *call, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same for a message whose arguments are a list; the answer is whatever it is already. */
void admin_put_message(struct admin_call *call, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));
/* Asks the workers (exchange/survey.h); `done` finishes the call, which is the survey's owner. For `return admin_survey(...)`. */
bool admin_survey(struct admin_call *call, unsigned wishes, void (*done)(struct survey *survey));
/* A parameter of the query, decoded; false when it is not there. */
bool admin_query(struct admin_call *call, const char *name, struct str *ret_value);
/* The same as a number within bounds; `fallback` when it is absent or none. */
int64_t admin_query_int(struct admin_call *call, const char *name, int64_t min, int64_t max, int64_t fallback);

/* The route for a method and path, with call->parameters filled. NULL: *ret_known says whether the path exists for another method. */
const struct admin_route *admin_route_find(struct admin_call *call, bool *ret_known);
/* Dispatches: route, role, answer. True: answered at once. */
bool admin_answer(struct admin_call *call);

/* In place: for whoever makes calls without a worker (tests). */
void admin_call_init(struct admin_call *call, enum method method, struct str path, struct str query);
void admin_call_release(struct admin_call *call);

#endif
