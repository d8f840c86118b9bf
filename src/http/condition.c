/* Conditional requests (RFC 9110 13). */
#include "http/range.h"

#include "http/date.h"
#include "http/token.h"

static bool is_weak(struct str etag)
{
    return str_starts(etag, S("W/"));
}

static struct str opaque(struct str etag)
{
    return is_weak(etag) ? str_from_index(etag, 2) : etag;
}

static bool etags_match(struct str a, struct str b, bool strongly)
{
    if (a.len == 0 || b.len == 0 || (strongly && (is_weak(a) || is_weak(b))))
        return false;
    return str_equal(opaque(a), opaque(b));
}

/* Whether the etag is in any field of that id; "*" is every representation that exists. */
bool condition_lists_etag(const struct fields *fields, enum field_id id, struct str etag, bool strongly)
{
    FIELDS_FOREACH(fields, field) {
        struct str rest = field->value, member;
        if (field->id != id)
            continue;
        while (token_next(&rest, &member))
            if (str_equal(member, S("*")) || etags_match(member, etag, strongly))
                return true;
    }
    return false;
}

/* Whether the field holds a date and the representation is newer than it; *ret_known: both dates are known. */
static bool is_newer(const struct fields *fields, enum field_id id, int64_t last_modified, bool *ret_known)
{
    int64_t date = 0;
    *ret_known = last_modified >= 0 && fields_has(fields, id) && http_date_parse(fields_value(fields, id), &date);
    return *ret_known && last_modified > date;
}

enum precondition condition_check(const struct request *request, struct str etag, int64_t last_modified)
{
    const struct fields *fields = &request->fields;
    bool reads = request->method == METHOD_GET || request->method == METHOD_HEAD;
    bool known;
    if (fields_has(fields, FIELD_IF_MATCH)) {
        if (!condition_lists_etag(fields, FIELD_IF_MATCH, etag, true))
            return CONDITION_FAILED;
    } else if (is_newer(fields, FIELD_IF_UNMODIFIED_SINCE, last_modified, &known)) {
        return CONDITION_FAILED;
    }
    if (fields_has(fields, FIELD_IF_NONE_MATCH)) {
        if (condition_lists_etag(fields, FIELD_IF_NONE_MATCH, etag, false))
            return reads ? CONDITION_NOT_MODIFIED : CONDITION_FAILED;
    } else if (reads && !is_newer(fields, FIELD_IF_MODIFIED_SINCE, last_modified, &known) && known) {
        return CONDITION_NOT_MODIFIED;
    }
    return CONDITION_PASS;
}

bool condition_range_applies(const struct request *request, struct str etag, int64_t last_modified)
{
    struct str value = fields_value(&request->fields, FIELD_IF_RANGE);
    int64_t date;
    if (value.data == NULL)
        return true;
    if (str_starts(value, S("\"")) || is_weak(value))
        return etags_match(value, etag, true);
    return last_modified >= 0 && http_date_parse(value, &date) && date == last_modified;
}
