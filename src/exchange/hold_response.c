/* Holding a response's body, or looking at its beginning, before its head goes to the client. */
#include "exchange/attempt.h"
#include "exchange/hold.h"
#include "exchange/progress.h"
#include "exchange/spool.h"

#define READ_MAX ((int64_t)1 << 20)      /* more than what one read gives, and nothing that looking would keep */

/* Nothing to be read: no body, or one that is made here and costs nobody anything. */
static bool has_no_stream(const struct exchange *x)
{
    return !x->upstream_bound || x->answered_here || x->response.body_length == 0 || x->response.status == 101 ||
           status_is_bodiless(x->response.status) || x->stream.request.method == METHOD_HEAD;
}

static void settle(struct exchange *x)
{
    x->resume_on_facts = false;
    progress_limit(x, 0);
}

static enum exchange_hold refuse(struct exchange *x, enum status why)
{
    settle(x);
    attempt_release(x, false);
    exchange_drop_response(x);
    int code = status_http(why);
    exchange_answer_status(x, code != 0 ? code : 502, why);
    return HOLD_REFUSED;
}

/* As soon as all of it is here the server's connection serves others. */
static enum exchange_hold finish(struct exchange *x)
{
    settle(x);
    x->response_held = true;
    if (x->upstream.response.trailers.count == 0)
        x->response.body_length = spool_length(x->response_spool);
    attempt_give_back(x);
    return HOLD_READY;
}

/* OK: `until` bytes are there; END: all; AGAIN; else why neither will be. The request's body goes on meanwhile. `ret_yielded` as
 * hold_gather has it; NULL: it reads on, for `until` is near. */
static enum status advance(struct exchange *x, int64_t until, int64_t memory_max, bool *ret_yielded)
{
    if (x->response_spool == NULL) {
        x->response_spool = spool_new(&x->arena, &x->worker->chunks, memory_max);
        if (x->response_spool == NULL)
            return STATUS_OUT_OF_MEMORY;
        progress_begin(x);
    }
    enum status upload = attempt_upload(x);
    if (upload != STATUS_OK && upload != STATUS_AGAIN)
        return upload;
    return hold_gather(x->response_spool, &x->upstream.source, until, ret_yielded != NULL ? &x->worker->loop : NULL, ret_yielded);
}

enum exchange_hold exchange_hold_response(struct exchange *x, int64_t max, int64_t memory_max)
{
    if (max == 0)
        max = INT64_MAX - 1;
    if (x->response.body_length > max && x->stream.request.method != METHOD_HEAD)
        return refuse(x, STATUS_RESPONSE_TOO_LARGE);
    if (has_no_stream(x) || x->response_held)
        return HOLD_READY;
    bool yielded = false;
    enum status status = advance(x, max + 1, memory_max, &yielded);
    if (status == STATUS_END)
        return finish(x);
    if (status == STATUS_OK)
        status = STATUS_RESPONSE_TOO_LARGE;
    else if (status == STATUS_AGAIN)
        status = yielded ? progress_next_turn(x) : progress_hold_response(x);
    if (status != STATUS_OK)
        return refuse(x, status);
    x->resume_on_facts = true;
    return HOLD_WAIT;
}

/* Waits for the first `bytes`. What one read gives stays in memory, however much it is. A wait is under way as long as
 * `resume_on_facts` stands, whoever looked before. */
static enum exchange_hold wait_for(struct exchange *x, int64_t bytes, int64_t patience)
{
    if (has_no_stream(x) || x->response_held)
        return HOLD_READY;
    bool first = !x->resume_on_facts;
    enum status status = advance(x, bytes, bytes + READ_MAX, NULL);
    if (status == STATUS_END)
        return finish(x);
    if (status != STATUS_OK && status != STATUS_AGAIN)
        return refuse(x, status);
    if (status == STATUS_OK || (!first && progress_expired(x))) {
        settle(x);
        return HOLD_READY;
    }
    if (first)
        progress_limit(x, patience);
    x->resume_on_facts = true;
    return HOLD_WAIT;
}

enum exchange_hold exchange_peek_response(struct exchange *x, int64_t bytes, int64_t patience)
{
    return x->response.body_length >= 0 ? HOLD_READY : wait_for(x, bytes, patience);
}

enum exchange_hold exchange_look_at_response(struct exchange *x, int64_t patience, struct str *ret_bytes)
{
    enum exchange_hold hold = wait_for(x, 1, patience);
    *ret_bytes = hold == HOLD_READY && x->response_spool != NULL ? spool_bytes(x->response_spool) : STR_NONE;
    return hold;
}

struct body_source *hold_response_source(struct exchange *x)
{
    if (x->answered_here)
        return x->response_source;
    if (x->response_spool == NULL)
        return &x->upstream.source;
    return x->response_held ? spool_rewind(x->response_spool)
                            : spool_rewind_before(x->response_spool, &x->upstream.source);
}
