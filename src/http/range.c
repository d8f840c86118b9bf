/* Byte ranges (RFC 9110 14). */
#include "http/range.h"

#include "http/token.h"

/* More overlaps than this are an attack, not a need (RFC 9110 14.2). */
#define OVERLAPS_MAX 2

/* One range of the list; RANGE_NONE when malformed. */
static enum range_result parse_one(struct str text, int64_t length, struct byte_range *ret_range)
{
    uint64_t first = 0, last = UINT64_MAX;
    ptrdiff_t dash = str_find_char(text, '-', 0);
    if (dash < 0)
        return RANGE_NONE;
    struct str before = str_first(text, (size_t)dash);
    struct str after = str_from_index(text, (size_t)dash + 1);
    if (before.len == 0) {
        uint64_t suffix;
        if (after.len == 0 || !str_to_u64(after, &suffix))
            return RANGE_NONE;
        if (suffix == 0 || length == 0)
            return RANGE_UNSATISFIABLE;
        first = suffix < (uint64_t)length ? (uint64_t)length - suffix : 0;
    } else if (!str_to_u64(before, &first) || (after.len != 0 && !str_to_u64(after, &last)) ||
               last < first) {
        return RANGE_NONE;
    }
    if (first >= (uint64_t)length)
        return RANGE_UNSATISFIABLE;
    ret_range->first = (int64_t)first;
    ret_range->last = last < (uint64_t)length ? (int64_t)last : length - 1;
    return RANGE_OK;
}

static size_t count_overlaps(const struct byte_range *ranges, size_t count)
{
    size_t overlaps = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            overlaps += ranges[i].first <= ranges[j].last && ranges[j].first <= ranges[i].last;
    return overlaps;
}

enum range_result range_parse(struct str value, int64_t length, struct byte_range *out, size_t *ret_count)
{
    size_t members = 0, count = 0;
    struct str member;
    *ret_count = 0;
    if (!str_starts_nocase(value, S("bytes=")) || length < 0)
        return RANGE_NONE;
    struct str rest = str_from_index(value, 6);
    while (token_next(&rest, &member)) {
        struct byte_range range;
        enum range_result result = parse_one(member, length, &range);
        if (result == RANGE_NONE || ++members > RANGES_MAX)
            return RANGE_NONE;
        if (result == RANGE_OK)
            out[count++] = range;
    }
    if (members == 0 || count_overlaps(out, count) > OVERLAPS_MAX)
        return RANGE_NONE;
    *ret_count = count;
    return count != 0 ? RANGE_OK : RANGE_UNSATISFIABLE;
}
