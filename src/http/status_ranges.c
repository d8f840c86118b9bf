#include "http/status_ranges.h"

static bool parse_status(struct str text, int *ret_status)
{
    if (text.len != 3 || !ascii_digit(text.data[0]) || !ascii_digit(text.data[1]) || !ascii_digit(text.data[2]))
        return false;
    *ret_status = (text.data[0] - '0') * 100 + (text.data[1] - '0') * 10 + (text.data[2] - '0');
    return *ret_status >= 100 && *ret_status <= 599;
}

bool status_range_parse(struct str text, struct status_interval *ret_range)
{
    ptrdiff_t dash = str_find_char(text, '-', 0);
    struct str first = str_trim(dash >= 0 ? str_first(text, (size_t)dash) : text);
    struct str last = dash >= 0 ? str_trim(str_from_index(text, (size_t)dash + 1)) : first;
    return parse_status(first, &ret_range->first) && parse_status(last, &ret_range->last) &&
           ret_range->first <= ret_range->last;
}

const char *status_range_check(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    struct status_interval range;
    return status_range_parse(text, &range) ? NULL : "is not a status or a range of them, such as 404 or 500-599";
}

struct status_ranges status_ranges_from(const struct strs *texts, struct arena *arena)
{
    struct status_ranges ranges = {.items = arena_array(arena, struct status_interval, texts->count)};
    for (size_t i = 0; i < texts->count; i++)
        if (status_range_parse(texts->items[i], &ranges.items[ranges.count]))
            ranges.count++;
    return ranges;
}

bool status_ranges_have(const struct status_ranges *ranges, int status)
{
    for (size_t i = 0; i < ranges->count; i++)
        if (status >= ranges->items[i].first && status <= ranges->items[i].last)
            return true;
    return false;
}
