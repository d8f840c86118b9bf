/* Sets of response statuses as configurations write them: "404", "500-599". Built at configuration time in an arena, then
 * const and shared. */
#ifndef HTTP_STATUS_RANGES_H
#define HTTP_STATUS_RANGES_H

#include "base/option.h"

struct status_ranges {
    struct status_interval {
        int first, last;      /* both included */
    } *items;
    size_t count;
};

/* NULL when good: an option_check. */
const char *status_range_check(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length);
/* Of texts that passed the check. */
struct status_ranges status_ranges_from(const struct strs *texts, struct arena *arena);
bool status_range_parse(struct str text, struct status_interval *ret_range);
bool status_ranges_have(const struct status_ranges *ranges, int status);

#endif
