/* Comparing and forgetting what must not leak. Threading: pure functions. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/str.h"

/* Whether both are equal, in a time that depends on their lengths alone. */
bool secret_equal(struct str a, struct str b);
/* Overwrites with zeros in a way that the compiler may not drop. */
void secret_wipe(void *memory, size_t size);

#endif
