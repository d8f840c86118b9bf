/* One middleware by itself: its options bound from YAML, compiled, and its hooks called with an
 * exchange that goes nowhere. The exchange says that it is running, so exchange_resume only clears
 * `waiting`. */
#ifndef RIG_H
#define RIG_H

#include "exchange/middleware.h"
#include "exchange/variable_table.h"
#include "route/perl_set.h"

struct rig {
    struct arena arena;
    struct diag diag;
    struct worker *worker;
    struct client client;
    struct exchange x;
    struct compile compile;
    struct perl_set perl_regexes;
    struct middleware m;
    void *own;
    void *shared; /* the middleware's, kept over rig_configure */
    size_t shared_size;
    void (*shared_destroy)(void *memory);
    struct str shared_key;
    struct rig_shared { /* by further keys */
        struct str key;
        void *memory;
        void (*destroy)(void *memory);
    } more_shared[4];
    size_t more_shared_count;
};

/* A peer of 192.0.2.1 without TLS; no request yet. */
void rig_init(struct rig *rig);
void rig_release(struct rig *rig);

/* Compiles the middleware; false when something was reported. As before, when called again. */
bool rig_configure(struct rig *rig, const char *type, const char *yaml);
/* What was reported, as people read it. */
const char *rig_reported(struct rig *rig);

/* Begins an exchange: "http://HOST/PATH?QUERY" by this method, no fields. */
void rig_begin(struct rig *rig, const char *method, const char *url);
/* Adds a field to the request. */
void rig_field(struct rig *rig, const char *name, const char *value);
/* A response of a server, no fields. */
void rig_respond(struct rig *rig, int status);

enum verdict rig_request(struct rig *rig);
enum verdict rig_response(struct rig *rig);
void rig_finish(struct rig *rig);
/* Turns the loop until the exchange no longer waits; fails the test when that takes more than five
 * seconds. */
void rig_wait(struct rig *rig);

/* Values of the present request's or response's first field of that name; empty when absent. */
struct str rig_request_field(struct rig *rig, const char *name);
struct str rig_response_field(struct rig *rig, const char *name);

#endif
