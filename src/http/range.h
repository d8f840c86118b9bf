/* Range requests and conditions (RFC 9110 13, 14). Pure. */
#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

#include "http/message.h"

struct byte_range {
    int64_t first, last;       /* inclusive */
};
#define RANGES_MAX 16
enum range_result { RANGE_NONE, RANGE_OK, RANGE_UNSATISFIABLE };
/* "bytes=0-1,-5" against a representation of `length` bytes. Malformed, other units, more than RANGES_MAX
 * or overlapping beyond sense (RFC 9110 14.2): RANGE_NONE (the field is ignored). Those beyond the end are left out,
 * RANGE_UNSATISFIABLE when none is left. `out` has RANGES_MAX. */
enum range_result range_parse(struct str value, int64_t length, struct byte_range *out, size_t *ret_count);

enum precondition { CONDITION_PASS, CONDITION_NOT_MODIFIED, CONDITION_FAILED };
/* In these, `etag` is the representation's with its quotes ("W/" before it when weak), data NULL when there is
 * none, and `last_modified` is in seconds, negative when not known. */
/* Evaluates If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since in the order of RFC 9110 13.2.2. */
enum precondition condition_check(const struct request *request, struct str etag, int64_t last_modified);
/* Whether a field of that id (If-Match, If-None-Match) lists the etag or is "*". */
bool condition_lists_etag(const struct fields *fields, enum field_id id, struct str etag, bool strongly);
/* Whether Range holds under If-Range. */
bool condition_range_applies(const struct request *request, struct str etag, int64_t last_modified);

/* The ranges of "bytes=..." as nginx reads them: any number up to `max`, also where they overlap a little; what is malformed is
 * UNSATISFIABLE, and what asks for more than the whole is NONE. `bounded`: the user has set `max`. `out` has room for `max`. */
enum range_result range_parse_many(struct str value, int64_t length, size_t max, bool bounded, struct byte_range *out,
                                   size_t *ret_count);

#endif
