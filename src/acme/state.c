#include "acme/state.h"

#include <stdlib.h>

#include "base/memory.h"

/* ---- names ---- */

static bool has_name(const struct strs *names, struct str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_equal(names->items[i], name))
            return true;
    return false;
}

bool names_equal(const struct strs *a, const struct strs *b)
{
    for (size_t i = 0; i < a->count; i++)
        if (!has_name(b, a->items[i]))
            return false;
    for (size_t i = 0; i < b->count; i++)
        if (!has_name(a, b->items[i]))
            return false;
    return true;
}

struct strs names_copy(const struct strs *names, struct arena *arena)
{
    struct strs copy = {.items = arena_array(arena, struct str, names->count), .count = names->count};
    for (size_t i = 0; i < names->count; i++)
        copy.items[i] = arena_str(arena, names->items[i]);
    return copy;
}

/* ---- records ---- */

/* A record begins with its arena. */
static void *record_new(size_t size)
{
    void *record = memory_zalloc(size);
    arena_init(record, ARENA_UNLIMITED);
    return record;
}

static void record_free(void *record)
{
    arena_release(record);
    free(record);
}

static void account_free(struct state_account *account)
{
    if (account == NULL)
        return;
    json_decref(account->origin);
    record_free(account);
}

static void certificate_free(struct state_certificate *certificate)
{
    json_decref(certificate->origin);
    record_free(certificate);
}

void state_init(struct state *state)
{
    *state = (struct state){0};
}

void state_release(struct state *state)
{
    for (int rank = 0; rank < ACCOUNT_RANKS; rank++)
        account_free(state->accounts[rank]);
    for (size_t i = 0; i < state->certificates.count; i++)
        certificate_free(state->certificates.items[i]);
    for (size_t i = 0; i < state->orders.count; i++)
        record_free(state->orders.items[i]);
    for (size_t i = 0; i < state->problems.count; i++)
        record_free(state->problems.items[i]);
    VEC_RELEASE(&state->certificates);
    VEC_RELEASE(&state->orders);
    VEC_RELEASE(&state->problems);
    json_decref(state->origin);
    state_init(state);
}

struct state_account *state_account_new(struct state *state, enum account_rank rank)
{
    account_free(state->accounts[rank]);
    return state->accounts[rank] = record_new(sizeof(struct state_account));
}

#define RECORD_NEW(list, type) \
    struct type *record = record_new(sizeof(struct type)); \
    VEC_PUSH(list, record); \
    return record

struct state_certificate *state_certificate_new(struct state *state)
{
    RECORD_NEW(&state->certificates, state_certificate);
}

struct state_order *state_order_new(struct state *state)
{
    RECORD_NEW(&state->orders, state_order);
}

struct state_problem *state_problem_new(struct state *state)
{
    RECORD_NEW(&state->problems, state_problem);
}

#define RECORD_OF(list) \
    for (size_t i = 0; i < (list)->count; i++) \
        if (names_equal(&(list)->items[i]->names, names)) \
            return (list)->items[i]; \
    return NULL

struct state_certificate *state_certificate_of(const struct state *state, const struct strs *names)
{
    RECORD_OF(&state->certificates);
}

struct state_order *state_order_of(const struct state *state, const struct strs *names)
{
    RECORD_OF(&state->orders);
}

struct state_problem *state_problem_of(const struct state *state, const struct strs *names)
{
    RECORD_OF(&state->problems);
}

/* The order of records stays as it is, so that a file changes where something changed. */
#define RECORD_DROP(list, record) \
    do { \
        size_t at = 0; \
        while (at < (list)->count && (list)->items[at] != (record)) \
            at++; \
        for ((list)->count--; at < (list)->count; at++) \
            (list)->items[at] = (list)->items[at + 1]; \
    } while (0)

void state_certificate_drop(struct state *state, struct state_certificate *certificate)
{
    RECORD_DROP(&state->certificates, certificate);
    certificate_free(certificate);
    state->unsaved = true;
}

void state_order_drop(struct state *state, struct state_order *order)
{
    RECORD_DROP(&state->orders, order);
    record_free(order);
    state->unsaved = true;
}

void state_problem_drop(struct state *state, struct state_problem *problem)
{
    RECORD_DROP(&state->problems, problem);
    record_free(problem);
    state->unsaved = true;
}

/* ---- merging ---- */

static void take_accounts(struct state *theirs, struct state *mine)
{
    for (int rank = 0; rank < ACCOUNT_RANKS; rank++) {
        if (mine->accounts[rank] == NULL || !mine->accounts[rank]->unsaved)
            continue;
        account_free(theirs->accounts[rank]);
        theirs->accounts[rank] = mine->accounts[rank];
        mine->accounts[rank] = NULL;
    }
}

#define TAKE_UNSAVED(list, find, drop) \
    for (size_t i = 0; i < mine->list.count; i++) { \
        if (!mine->list.items[i]->unsaved) \
            continue; \
        __auto_type former = find(theirs, &mine->list.items[i]->names); \
        if (former != NULL) \
            drop(theirs, former); \
        VEC_PUSH(&theirs->list, mine->list.items[i]); \
        mine->list.items[i--] = mine->list.items[--mine->list.count]; \
        theirs->unsaved = true; \
    }

void state_merge(struct state *theirs, struct state *mine)
{
    take_accounts(theirs, mine);
    TAKE_UNSAVED(certificates, state_certificate_of, state_certificate_drop)
    TAKE_UNSAVED(orders, state_order_of, state_order_drop)
    TAKE_UNSAVED(problems, state_problem_of, state_problem_drop)
    theirs->unsaved |= mine->unsaved;
    state_release(mine);
}
