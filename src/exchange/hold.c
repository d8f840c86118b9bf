/* Holding a request's body: it is taken off the connection before anything else is done with the request. */
#include "exchange/hold.h"

#include "exchange/graph.h"
#include "exchange/progress.h"
#include "exchange/spool.h"

#define PIECE_BYTES ((size_t)65536)

static enum exchange_hold refuse(struct exchange *x, enum status why)
{
    x->resume_on_facts = false;
    progress_limit(x, 0);
    int code = status_http(why);
    exchange_answer_status(x, code != 0 ? code : 500, why);
    return HOLD_REFUSED;
}

/* The router says where the body's file lies. */
static bool take_place(struct exchange *x, const struct client_limits *limits)
{
    if (limits->body_file == BODY_FILE_OFF && limits->body_folder.len == 0)
        return true;
    struct spool_place *place = arena_new(&x->arena, struct spool_place);
    if (place == NULL)
        return false;
    *place = (struct spool_place){.folder = arena_str(&x->arena, limits->body_folder),
                                  .named = limits->body_file != BODY_FILE_OFF,
                                  .kept = limits->body_file == BODY_FILE_KEEP};
    spool_set_place(x->spool, place);
    return true;
}

static bool begin(struct exchange *x, int64_t memory_max)
{
    const struct client_limits *limits = x->router != NULL ? x->router->limits : NULL;
    if (limits != NULL && limits->body_memory != 0)
        memory_max = limits->body_memory;
    x->spool = spool_new(&x->arena, &x->worker->chunks, memory_max);
    if (x->spool == NULL)
        return false;
    if (limits != NULL && !take_place(x, limits))
        return false;
    x->hold_began = exchange_now(x);
    progress_begin(x);
    exchange_send_continue(x);
    return true;
}

/* From now on the length of what came is known, and the trailers that may have followed are in place. */
static enum exchange_hold finish(struct exchange *x)
{
    struct request *request = exchange_request(x);
    x->resume_on_facts = false;
    x->body_held = true;
    if (x->request_filters == NULL)      /* what filters will make of it is not known before they did */
        request->body_length = spool_length(x->spool);
    fields_remove(&request->fields, FIELD_EXPECT);
    progress_limit(x, 0);
    return HOLD_READY;
}

enum status hold_gather(struct spool *spool, struct body_source *source, int64_t until, const struct loop *loop, bool *ret_yielded)
{
    struct chunkq piece;
    chunkq_init(&piece);
    enum status status = STATUS_OK;
    while (status == STATUS_OK && spool_length(spool) < until) {
        status = source->ops->read(source, &piece, PIECE_BYTES);
        if (status == STATUS_OK)
            status = spool_add(spool, &piece);
        if (status == STATUS_OK && loop != NULL && spool_length(spool) < until && (*ret_yielded = loop_turn_is_long(loop)))
            status = STATUS_AGAIN;
    }
    chunkq_release(&piece);
    return status;
}

static int64_t body_limit(const struct exchange *x)
{
    const struct client_limits *limits = x->router != NULL ? x->router->limits : NULL;
    return limits != NULL && limits->body_bytes != 0 ? limits->body_bytes : INT64_MAX - 1;
}

enum exchange_hold exchange_try_hold(struct exchange *x, int64_t max, int64_t memory_max)
{
    const struct request *request = exchange_request(x);
    if (!request->has_body)
        return HOLD_READY;
    if (max == 0)
        max = INT64_MAX - 1;
    int64_t known = x->spool != NULL ? spool_length(x->spool) : request->body_length;
    if (known > max)
        return HOLD_TOO_LARGE;
    if (x->body_held)
        return HOLD_READY;
    if (x->spool == NULL && !begin(x, memory_max))
        return refuse(x, STATUS_OUT_OF_MEMORY);
    int64_t limit = body_limit(x);
    bool yielded = false;
    enum status status = hold_gather(x->spool, &x->stream.source, (max < limit ? max : limit) + 1, &x->worker->loop, &yielded);
    if (spool_length(x->spool) > limit)
        return refuse(x, STATUS_BODY_TOO_LARGE);
    if (status == STATUS_END)
        return finish(x);
    if (status == STATUS_OK) {
        x->resume_on_facts = false;
        progress_limit(x, 0);
        return HOLD_TOO_LARGE;
    }
    if (status == STATUS_AGAIN)
        status = yielded ? progress_next_turn(x) : progress_hold(x);
    if (status != STATUS_OK)
        return refuse(x, status);
    x->resume_on_facts = true;
    return HOLD_WAIT;
}

enum exchange_hold exchange_hold_body(struct exchange *x, int64_t max, int64_t memory_max)
{
    enum exchange_hold hold = exchange_try_hold(x, max, memory_max);
    return hold == HOLD_TOO_LARGE ? refuse(x, STATUS_BODY_TOO_LARGE) : hold;
}

int64_t exchange_held_length(const struct exchange *x)
{
    return x->spool != NULL ? spool_length(x->spool) : 0;
}

struct str exchange_held_bytes(struct exchange *x)
{
    return x->spool != NULL ? spool_bytes(x->spool) : S("");
}

struct body_source *hold_request_source(struct exchange *x)
{
    if (x->spool == NULL)
        return &x->stream.source;
    return x->body_held ? spool_rewind(x->spool) : spool_rewind_before(x->spool, &x->stream.source);
}
