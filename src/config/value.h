/* The text of one option -> its value, with the one wording of every complaint about it. */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "base/option.h"

/* BOOL, INT, NUMBER, DURATION, SIZE, STR and ENUM: fills *storage and gives true, or reports at `span` and
 * gives false. The text must outlive the value (STR is a view). */
bool value_parse(const struct option *option, struct str text, struct span span, void *storage,
                 struct arena *arena, struct diag *diag);
/* Runs the option's check, if it has one; reports at the faulty part of `span`. */
bool value_check(const struct option *option, struct str text, struct span span,
                 struct arena *arena, struct diag *diag);
/* Splits at commas, trims, drops empty parts; each part's offset in `text` goes to the check's report. */
bool value_split(const struct option *option, struct str text, struct span span,
                 struct strs *ret_items, struct arena *arena, struct diag *diag);
/* "from 1 to 64", "at least 1KiB": what an option's bounds allow; false when it has none. */
#define VALUE_BOUNDS_SIZE 96
bool value_bounds(const struct option *option, char *out, size_t size);

#endif
