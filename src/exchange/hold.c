/* Holding a request's body: it is taken off the connection before anything else is done with the request. */
#include "exchange/exchange.h"
#include "exchange/progress.h"
#include "exchange/spool.h"

#define PIECE_BYTES ((size_t)65536)

static enum exchange_hold refuse(struct exchange *x, enum status why)
{
    x->resume_on_body = false;
    progress_limit(x, 0);
    int code = status_http(why);
    exchange_answer_status(x, code != 0 ? code : 500, why);
    return HOLD_REFUSED;
}

static void begin(struct exchange *x, int64_t memory_max)
{
    x->spool = spool_new(&x->worker->chunks, memory_max);
    x->hold_began = exchange_now(x);
    progress_begin(x);
    exchange_send_continue(x);
}

/* From now on the request's length is known, and the trailers that may have followed are in place. */
static void finish(struct exchange *x)
{
    x->resume_on_body = false;
    x->body_held = true;
    x->stream.request.body_length = spool_length(x->spool);
    progress_limit(x, 0);
}

/* Takes what has come. OK: all is here. AGAIN: more must come. Else why it never will. */
static enum status gather(struct exchange *x, int64_t max)
{
    struct body_source *source = &x->stream.source;
    struct chunkq piece;
    chunkq_init(&piece);
    enum status status;
    while ((status = source->read(source, &piece, PIECE_BYTES)) == STATUS_OK) {
        status = spool_add(x->spool, &piece);
        if (status == STATUS_OK && max != 0 && spool_length(x->spool) > max)
            status = STATUS_BODY_TOO_LARGE;
        if (status != STATUS_OK)
            break;
    }
    chunkq_release(&piece);
    return status == STATUS_END ? STATUS_OK : status;
}

enum exchange_hold exchange_hold_body(struct exchange *x, int64_t max, int64_t memory_max)
{
    const struct request *request = exchange_request(x);
    if (!request->has_body)
        return HOLD_READY;
    int64_t known = x->body_held ? spool_length(x->spool) : request->body_length;
    if (max != 0 && known > max)
        return refuse(x, STATUS_BODY_TOO_LARGE);
    if (x->body_held)
        return HOLD_READY;
    if (x->spool == NULL)
        begin(x, memory_max);
    enum status status = gather(x, max);
    if (status == STATUS_AGAIN)
        status = progress_hold(x);
    else if (status == STATUS_OK)
        return finish(x), HOLD_READY;
    if (status != STATUS_OK)
        return refuse(x, status);
    x->resume_on_body = true;
    return HOLD_WAIT;
}

int64_t exchange_held_length(const struct exchange *x)
{
    return x->spool != NULL ? spool_length(x->spool) : 0;
}

struct str exchange_held_bytes(struct exchange *x)
{
    return x->spool != NULL ? spool_bytes(x->spool) : S("");
}
