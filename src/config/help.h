/* Help on options, derived from the tables: for a terminal and as reference pages. */
#ifndef CONFIG_HELP_H
#define CONFIG_HELP_H

#include "base/option.h"
#include "base/text.h"

/* Adds what there is to say about the option at `path` ("entryPoints.web.http.maxHeaderBytes"; an empty path: the
 * top level; the last word alone will do: "maxHeaderBytes"). False when there is none: `out` then has one line with
 * a suggestion, without a line end. */
bool help_option(const struct option_table *root, struct str path, struct arena *arena,
                 struct text *out);

/* The reference of all options, in Markdown: a section per object, a table row per option. */
void help_markdown(const struct option_table *root, const char *title, struct text *out);

#endif
