/* Byte ranges as nginx reads them. */
#include "http/range.h"

#define PART_COST 256      /* bytes that a part's head is taken to have: many small parts cost more than the whole */
#define WHOLE_COST 4096

struct reader {
    struct str rest;
    bool bad;
};

static void skip_spaces(struct reader *reader)
{
    while (reader->rest.len != 0 && reader->rest.data[0] == ' ')
        reader->rest = str_from_index(reader->rest, 1);
}

static bool next_is(const struct reader *reader, char c)
{
    return reader->rest.len != 0 && reader->rest.data[0] == c;
}

static int64_t read_number(struct reader *reader)
{
    size_t digits = 0;
    uint64_t number = 0;
    while (digits < reader->rest.len && ascii_digit(reader->rest.data[digits]))
        digits++;
    if (digits == 0 || !str_to_u64(str_first(reader->rest, digits), &number) || number > INT64_MAX)
        reader->bad = true;
    reader->rest = str_from_index(reader->rest, digits);
    skip_spaces(reader);
    return (int64_t)number;
}

/* [*ret_first, *ret_end), which may be empty. */
static void read_range(struct reader *reader, int64_t length, int64_t *ret_first, int64_t *ret_end)
{
    skip_spaces(reader);
    bool suffix = next_is(reader, '-');
    *ret_first = suffix ? 0 : read_number(reader);
    *ret_end = length;
    if (!next_is(reader, '-'))
        reader->bad = true;
    reader->rest = str_from_index(reader->rest, 1);
    if (!suffix)
        skip_spaces(reader);
    if (!suffix && (reader->rest.len == 0 || next_is(reader, ',')))
        return;
    int64_t last = read_number(reader);
    if (reader->rest.len != 0 && !next_is(reader, ','))
        reader->bad = true;
    if (suffix)
        *ret_first = last < length ? length - last : 0;
    else
        *ret_end = last >= length ? length : last + 1;
}

enum range_result range_parse_many(struct str value, int64_t length, size_t max, bool bounded, struct byte_range *out,
                                   size_t *ret_count)
{
    struct reader reader = {.rest = str_from_index(value, sizeof("bytes=") - 1)};
    int64_t total = 0, first, end;
    bool more = true;
    *ret_count = 0;
    while (more) {
        read_range(&reader, length, &first, &end);
        if (reader.bad)
            return RANGE_UNSATISFIABLE;
        if (first >= end && first == 0)
            return RANGE_NONE;
        if (first < end && *ret_count == max)
            return RANGE_NONE;
        if (first < end) {
            out[(*ret_count)++] = (struct byte_range){.first = first, .last = end - 1};
            total += end - first;
        }
        if (total < 0)
            return RANGE_UNSATISFIABLE;
        more = next_is(&reader, ',');
        reader.rest = str_from_index(reader.rest, 1);
    }
    if (*ret_count == 0)
        return RANGE_UNSATISFIABLE;
    if (*ret_count == 1)
        return RANGE_OK;
    int64_t cost = bounded ? 0 : (int64_t)*ret_count * PART_COST - WHOLE_COST;
    return total > length || total + cost > length ? RANGE_NONE : RANGE_OK;
}
