/* Services that are always there, in provider "internal": ping@internal, noop@internal. They are made by the snapshot, not by
 * a configuration, so they are not among the registered types. */
#ifndef SERVICE_INTERNAL_H
#define SERVICE_INTERNAL_H

#include "exchange/service.h"

/* By the name before '@' ("ping", case ignored); NULL when there is none. They have no options and no state. */
const struct service_type *internal_service_type(struct str name);

#endif
