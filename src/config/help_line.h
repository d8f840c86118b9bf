/* What help in its several forms says about one option. */
#ifndef CONFIG_HELP_LINE_H
#define CONFIG_HELP_LINE_H

#include "base/option.h"
#include "base/text.h"

/* "duration", "common | json". */
void help_type(const struct option *option, struct text *out);
/* The default as a user would write it; empty when there is none worth a word. */
struct str help_default(const struct option *option);
/* Behind an option's key in a path to what it holds: ".NAME", "[0]" or "". */
const char *help_suffix(const struct option *option);

#endif
