/* Ranges of responses (RFC 9110 14): of those that say they can be asked for in parts, or of all. Files are cut; of anything else the
 * bytes that were not asked for are thrown away as they pass. nginx's way: HEAD too, and If-Range with what the response says. */
#include "base/hex.h"
#include "base/rand.h"
#include "exchange/middleware.h"
#include "http/date.h"
#include "http/range.h"
#include "middleware/range_filter.h"

#define RANGES_READ 128      /* that one request may ask for */

struct range {
    const struct node *origin;
    int64_t max_ranges;
    bool force;
};

static const struct option options[] = {
    OPTION_NAMED(INT, struct range, max_ranges, "maxRanges", .fallback = "-1", .min = -1, .max = 1000000,
                 .help = "Requests for more ranges get the whole; 0: all do; -1: no limit but common sense."),
    OPTION(BOOL, struct range, force, .help = "Of all responses with 200 whose length is known, whatever they say; one range each."),
};
static const struct option_table table =
    OPTION_TABLE(struct range, options, .summary = "Gives the parts of responses that clients ask for.");

static bool may_be_cut(const struct exchange *x, const struct range *range)
{
    const struct response *response = &x->response;
    if (response->status != 200 || response->body_length < 0 || range->max_ranges == 0 || x->detour)
        return false;
    return range->force || (x->answered_here && str_equal(fields_value(&response->fields, FIELD_ACCEPT_RANGES), S("bytes")));
}

/* The response is what the client has a part of. */
static bool holds(const struct exchange *x)
{
    struct str condition = fields_value(&x->stream.request.fields, FIELD_IF_RANGE);
    const struct fields *fields = &x->response.fields;
    int64_t asked, modified;
    if (condition.data == NULL)
        return true;
    if (condition.len >= 2 && str_ends(condition, S("\"")))
        return str_equal(condition, fields_value(fields, FIELD_ETAG));
    return http_date_parse(fields_value(fields, FIELD_LAST_MODIFIED), &modified) && http_date_parse(condition, &asked) &&
           asked == modified;
}

static enum range_result read_ranges(struct exchange *x, const struct range *options_, struct byte_range *out, size_t *ret_count)
{
    struct str asked = fields_value(&exchange_request(x)->fields, FIELD_RANGE);
    if (asked.len < 7 || !str_starts_nocase(asked, S("bytes=")) || !holds(x))
        return RANGE_NONE;
    size_t max = RANGES_READ;
    if (options_->force)
        max = 1;
    else if (options_->max_ranges >= 0 && options_->max_ranges < RANGES_READ)
        max = (size_t)options_->max_ranges;
    bool bounded = options_->force || options_->max_ranges >= 0;
    return range_parse_many(asked, x->response.body_length, max, bounded, out, ret_count);
}

static struct str range_text(struct exchange *x, const struct byte_range *range)
{
    return arena_printf(&x->arena, "bytes %lld-%lld/%lld", (long long)range->first, (long long)range->last,
                        (long long)x->response.body_length);
}

/* The stretches of one range, or of several with their heads and the closing boundary. */
static unsigned make_stretches(struct exchange *x, const struct byte_range *ranges, size_t count, const char *boundary,
                               struct body_stretch *out)
{
    struct str type = fields_value(&x->response.fields, FIELD_CONTENT_TYPE);
    for (size_t i = 0; i < count; i++) {
        out[i] = (struct body_stretch){.offset = ranges[i].first, .left = ranges[i].last - ranges[i].first + 1};
        if (count > 1)
            out[i].text = arena_printf(&x->arena, "\r\n--%s\r\n%s%.*s%sContent-Range: %.*s\r\n\r\n", boundary,
                                       type.len != 0 ? "Content-Type: " : "", STR_ARGS(type), type.len != 0 ? "\r\n" : "",
                                       STR_ARGS(range_text(x, &ranges[i])));
    }
    if (count == 1)
        return 1;
    out[count] = (struct body_stretch){.text = arena_printf(&x->arena, "\r\n--%s--\r\n", boundary)};
    return (unsigned)count + 1;
}

/* A source that can be read anywhere is; else what passes is cut, if the order of the ranges allows it. */
static bool cut_body(struct exchange *x, struct body_stretch *stretches, unsigned count)
{
    if (exchange_request(x)->method == METHOD_HEAD)
        return true;
    struct body_source *source = x->answered_here && x->response_filters == NULL && x->response_spool == NULL ? x->response_source : NULL;
    if (source != NULL && source->ops->cut != NULL) {
        source->ops->cut(source, stretches, count);
        return true;
    }
    struct filter *filter = range_filter_new(&x->arena, stretches, count);
    if (filter != NULL)
        exchange_filter_response(x, filter);
    return filter != NULL;
}

static int64_t length_of(const struct body_stretch *stretches, unsigned count)
{
    int64_t length = 0;
    for (unsigned i = 0; i < count; i++)
        length += (int64_t)stretches[i].text.len + stretches[i].left;
    return length;
}

/* False: it stays whole. */
static bool give_ranges(struct exchange *x, const struct byte_range *ranges, size_t count)
{
    uint64_t random[2] = {rand_u64(), rand_u64()};
    char boundary[2 * sizeof(random) + 1] = {0};
    hex_encode(str_of((const char *)random, sizeof(random)), boundary);
    struct body_stretch *stretches = arena_array(&x->arena, struct body_stretch, count + 1);
    if (stretches == NULL)
        return false;
    unsigned made = make_stretches(x, ranges, count, boundary, stretches);
    struct str one = range_text(x, &ranges[0]);
    int64_t length = length_of(stretches, made);
    if (!cut_body(x, stretches, made))
        return false;
    struct fields *fields = &x->response.fields;
    fields_remove_each(fields, FIELD_BIT(ACCEPT_RANGES) | FIELD_BIT(CONTENT_RANGE));
    x->response.status = 206;
    x->response.body_length = length;
    if (count == 1)
        fields_add_id(fields, FIELD_CONTENT_RANGE, one);
    else
        fields_set(fields, FIELD_CONTENT_TYPE, arena_printf(&x->arena, "multipart/byteranges; boundary=%s", boundary));
    return true;
}

static void refuse(struct exchange *x)
{
    struct str whole = arena_printf(&x->arena, "bytes */%lld", (long long)x->response.body_length);
    exchange_answer_status(x, 416, STATUS_FILE_RANGE);
    fields_add_id(&x->response.fields, FIELD_CONTENT_RANGE, whole);
}

/* Apart, so that responses that nobody wants in parts need no room for ranges. */
static __attribute__((noinline)) void cut_response(struct exchange *x, const struct range *range)
{
    struct byte_range ranges[RANGES_READ];
    size_t count = 0;
    enum range_result result = read_ranges(x, range, ranges, &count);
    if (result == RANGE_UNSATISFIABLE)
        refuse(x);
    else if ((result == RANGE_NONE || !give_ranges(x, ranges, count)) && !x->answered_here)
        fields_set(&x->response.fields, FIELD_ACCEPT_RANGES, S("bytes"));
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    const struct range *range = m->options;
    if (may_be_cut(x, range)) {
        if (fields_has(&exchange_request(x)->fields, FIELD_RANGE))
            cut_response(x, range);
        else if (!x->answered_here)
            fields_set(&x->response.fields, FIELD_ACCEPT_RANGES, S("bytes"));
    } else if (range->max_ranges == 0 && x->answered_here) {
        fields_remove(&x->response.fields, FIELD_ACCEPT_RANGES);
    }
    return VERDICT_NEXT;
}

static const struct middleware_type range_type = {
    .choice = {.name = "range", .summary = "Gives the parts of responses that clients ask for.", .table = &table},
    .on_response = on_response,
};
REGISTER(middleware_type, range_type);
