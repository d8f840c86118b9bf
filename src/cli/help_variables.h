/* The list of variables, for a terminal and as the page docs/variables.md: made of the types that registered themselves. */
#ifndef CLI_HELP_VARIABLES_H
#define CLI_HELP_VARIABLES_H

#include "base/text.h"

void help_variables(struct text *out);
void help_variables_markdown(struct text *out);

#endif
