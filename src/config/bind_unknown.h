/* What to say about a key that a table does not have. */
#ifndef CONFIG_BIND_UNKNOWN_H
#define CONFIG_BIND_UNKNOWN_H

#include "config/bind.h"

/* Reports `node` (its key) as unknown in `table`; `root` is searched for where it may belong. Gives the option
 * that was probably meant, if it is one of `table`, or NULL. */
const struct option *bind_report_unknown(const struct option_table *root,
                                         const struct option_table *table, const struct node *node,
                                         const struct bind_options *options, struct diag *diag);

#endif
