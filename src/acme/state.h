/* What is known of one resolver: accounts, certificates, orders under way, what went wrong. Values in memory, without a place.
 *
 * Ownership: a state owns its records, a record its texts; what is passed in is copied. Threading: the control thread. */
#ifndef ACME_STATE_H
#define ACME_STATE_H

#include <jansson.h>

#include "base/arena.h"
#include "base/option.h"
#include "base/vec.h"

/* The first CA's account, and the fallback's. */
enum account_rank { ACCOUNT_FIRST, ACCOUNT_FALLBACK, ACCOUNT_RANKS };

/* Each record keeps the JSON that it was read from (NULL: none), so that members which are not ours are written back. */
struct state_account {
    struct arena arena;
    json_t *origin;
    struct str email, url, key_type;
    struct str key;                 /* private, DER (acme/jws.h) */
    bool unsaved;
};

struct state_certificate {
    struct arena arena;
    json_t *origin;
    struct strs names;              /* the first is the main one */
    struct str chain, key;          /* PEM */
    struct str store;               /* Traefik's: "default" */
    struct str authority;           /* URL of the directory that it came from; empty: not known */
    struct str folder;              /* that it lies in, where the storage is a directory */
    int64_t unwanted_since;         /* Unix seconds; 0: it is wanted */
    bool on_demand;
    bool unsaved;
};

struct state_order {
    struct arena arena;
    struct strs names;
    struct str url;
    struct str key;                 /* PEM, the certificate's to be */
    enum account_rank rank;         /* the CA that made it */
    bool on_demand;
    bool unsaved;
};

struct state_problem {
    struct arena arena;
    struct strs names;
    struct str text, hint;
    unsigned failures;              /* in a row */
    int64_t failed_at, next_try;    /* Unix seconds */
    bool unsaved;
};

struct state {
    json_t *origin;                         /* the resolver's object */
    struct state_account *accounts[ACCOUNT_RANKS];    /* NULL: none */
    VEC(struct state_certificate *) certificates;
    VEC(struct state_order *) orders;
    VEC(struct state_problem *) problems;
    bool unsaved;                           /* something was removed or changed */
};

void state_init(struct state *state);
void state_release(struct state *state);

/* A new record with its arena, owned by the state; the caller fills it. A set account takes the former one's place. */
struct state_account *state_account_new(struct state *state, enum account_rank rank);
struct state_certificate *state_certificate_new(struct state *state);
struct state_order *state_order_new(struct state *state);
struct state_problem *state_problem_new(struct state *state);

/* By their names, whatever their order; NULL: none. */
struct state_certificate *state_certificate_of(const struct state *state, const struct strs *names);
struct state_order *state_order_of(const struct state *state, const struct strs *names);
struct state_problem *state_problem_of(const struct state *state, const struct strs *names);
void state_certificate_drop(struct state *state, struct state_certificate *certificate);
void state_order_drop(struct state *state, struct state_order *order);
void state_problem_drop(struct state *state, struct state_problem *problem);

/* What `mine` has and could not save yet goes over what stands in `theirs`: for a storage that somebody else changed. `mine` is
 * empty afterwards. */
void state_merge(struct state *theirs, struct state *mine);

/* Lists of names, copied; the same set whatever the order. */
struct strs names_copy(const struct strs *names, struct arena *arena);
bool names_equal(const struct strs *a, const struct strs *b);

#endif
