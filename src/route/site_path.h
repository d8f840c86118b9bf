/* A request's path as locations see it: escapes decoded, "." and ".." resolved, slashes merged. Pure.
 * BAD_TARGET: malformed escapes, a NUL, or ".." above the root. */
#ifndef ROUTE_SITE_PATH_H
#define ROUTE_SITE_PATH_H

#include "base/arena.h"
#include "base/status.h"

/* The same view when nothing changes. `merge`: "//" becomes "/". */
enum status site_path(struct arena *arena, struct str path, bool merge, struct str *ret_path);

#endif
