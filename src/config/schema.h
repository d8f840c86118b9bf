/* A table as JSON Schema (draft 2020-12), for editors: names, types, bounds, defaults, descriptions, and nothing
 * beyond what is known. Editors compare names with case, the binder does not. */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include "base/option.h"
#include "base/text.h"

void schema_write(const struct option_table *root, const char *title, struct text *out);

#endif
