/* The keys of a configuration in the order in which people read it: where requests arrive, which site and router takes them, what
 * happens to them, who answers. Keys that nobody ordered stay behind the others, as they were. */
#ifndef CLI_CONVERT_ORDER_H
#define CLI_CONVERT_ORDER_H

#include "base/node.h"

void convert_order(struct node *root);

#endif
