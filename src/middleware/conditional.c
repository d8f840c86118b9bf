/* Answers conditional requests by what responses made here say of themselves (Last-Modified, ETag): 304 and 412. For services that
 * do not look at conditions themselves, in nginx's way: If-Modified-Since and If-None-Match must both agree. Responses of servers are
 * theirs to judge. */
#include "exchange/middleware.h"
#include "http/date.h"
#include "http/range.h"
#include "http/token.h"

enum since_form { SINCE_EXACT, SINCE_BEFORE, SINCE_OFF };

struct conditional {
    const struct node *origin;
    int if_modified_since;
};

static const struct option_name since_names[] = {{"exact", SINCE_EXACT}, {"before", SINCE_BEFORE}, {"off", SINCE_OFF}, {NULL, 0}};

static const struct option options[] = {
    OPTION_NAMED(ENUM, struct conditional, if_modified_since, "ifModifiedSince", .names = since_names, .fallback = "exact",
                 .help = "A client's copy is good when its time is the response's exactly, not before it, or never."),
};
static const struct option_table table =
    OPTION_TABLE(struct conditional, options, .summary = "Answers 304 and 412 to conditional requests.");

#define CONDITIONS \
    (UINT64_C(1) << (FIELD_IF_MATCH & 63) | UINT64_C(1) << (FIELD_IF_MODIFIED_SINCE & 63) | \
     UINT64_C(1) << (FIELD_IF_NONE_MATCH & 63) | UINT64_C(1) << (FIELD_IF_UNMODIFIED_SINCE & 63))

/* -1: there is none, or it is no date. */
static int64_t date_of(const struct fields *fields, enum field_id id)
{
    int64_t date;
    struct str value = fields_value(fields, id);
    return value.data != NULL && http_date_parse(value, &date) ? date : -1;
}

static bool is_failed(const struct fields *asked, int64_t modified, struct str etag)
{
    if (fields_has(asked, FIELD_IF_UNMODIFIED_SINCE) &&
        (modified < 0 || date_of(asked, FIELD_IF_UNMODIFIED_SINCE) < modified))
        return true;
    return fields_has(asked, FIELD_IF_MATCH) && !condition_lists_etag(asked, FIELD_IF_MATCH, etag, true);
}

static bool is_modified_since(const struct fields *asked, int64_t modified, enum since_form form)
{
    if (modified < 0 || form == SINCE_OFF)
        return true;
    int64_t since = date_of(asked, FIELD_IF_MODIFIED_SINCE);
    return form == SINCE_EXACT ? since != modified : since < modified;
}

static bool is_not_modified(const struct fields *asked, int64_t modified, struct str etag, enum since_form form)
{
    bool since = fields_has(asked, FIELD_IF_MODIFIED_SINCE), match = fields_has(asked, FIELD_IF_NONE_MATCH);
    if (since && is_modified_since(asked, modified, form))
        return false;
    return match ? condition_lists_etag(asked, FIELD_IF_NONE_MATCH, etag, false) : since;
}

/* The client has it: all that is said of the body goes, with the body. */
static void answer_not_modified(struct exchange *x)
{
    struct fields kept = x->response.fields;
    exchange_answer(x, 304, STATUS_OK, STR_NONE, STR_NONE);
    x->response.fields = kept;
    fields_remove_each(&x->response.fields, FIELD_BIT(CONTENT_TYPE) | FIELD_BIT(CONTENT_LENGTH) | FIELD_BIT(ACCEPT_RANGES) |
                                                FIELD_BIT(CONTENT_ENCODING));
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    const struct conditional *conditional = m->options;
    const struct fields *asked = &exchange_request(x)->fields;
    if ((asked->present[0] & CONDITIONS) == 0 || x->response.status != 200 || !x->answered_here || x->detour)
        return VERDICT_NEXT;
    int64_t modified = date_of(&x->response.fields, FIELD_LAST_MODIFIED);
    struct str etag = fields_value(&x->response.fields, FIELD_ETAG);
    if (is_failed(asked, modified, etag))
        exchange_answer_status(x, 412, STATUS_OK);
    else if (is_not_modified(asked, modified, etag, (enum since_form)conditional->if_modified_since))
        answer_not_modified(x);
    return VERDICT_NEXT;
}

static const struct middleware_type conditional_type = {
    .choice = {.name = "conditional", .summary = "Answers 304 and 412 to conditional requests.", .table = &table},
    .on_response = on_response,
};
REGISTER(middleware_type, conditional_type);
