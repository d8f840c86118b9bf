/* Gives a response that names no media type the one that its first bytes show. For that the head
 * waits until they are here, but not longer than a tenth of a second: a slow stream then goes on
 * without. */
#include "exchange/middleware.h"
#include "middleware/answer.h"
#include "middleware/sniff.h"

#define PATIENCE (100 * TIME_MS)

struct content_type {
    const struct node *origin;
};

static const struct option content_type_options[] = {
    {.name = "autoDetect",
     .accepted = "the media type is always found here",
     .help = "Of version 2."},
};
static const struct option_table content_type_table =
    OPTION_TABLE(struct content_type, content_type_options,
                 .summary = "Finds the media type of responses that name none.");

/* A coded body shows nothing of what is in it. */
static bool needs_type(const struct exchange *x)
{
    const struct fields *fields = &x->response.fields;
    return !x->answered_here && fields_value(fields, FIELD_CONTENT_TYPE).data == NULL &&
           fields_value(fields, FIELD_CONTENT_ENCODING).len == 0;
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    struct str bytes;
    if (!needs_type(x))
        return VERDICT_NEXT;
    switch (exchange_look_at_response(x, PATIENCE, &bytes)) {
    case HOLD_WAIT:
        return VERDICT_WAIT;
    case HOLD_REFUSED:
        return VERDICT_ANSWER;
    case HOLD_READY:
    case HOLD_TOO_LARGE:
        break;
    }
    if (bytes.len == 0 || fields_add_id(&x->response.fields, FIELD_CONTENT_TYPE, sniff_type(bytes)))
        return VERDICT_NEXT;
    return answer_out_of_memory(x);
}

static const struct middleware_type content_type = {
    .choice = {.name = "contentType",
               .summary = "Finds the media type of responses that name none.",
               .table = &content_type_table},
    .on_response = on_response,
};
REGISTER(middleware_type, content_type);
