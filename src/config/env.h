/* Environment variables -> a tree of nodes: PORTICO_ENTRYPOINTS_WEB_ADDRESS is entryPoints.web.address, and
 * TRAEFIK_... is read the same way; PORTICO_ wins where both say something.
 *
 * The way through the tables tells what a word is: an option's key, the index of a list, or a name that the
 * user chooses (read in lower case; it may have underscores as long as the rest is found behind it).
 *
 * Ownership: everything lives in the arena. */
#ifndef CONFIG_ENV_H
#define CONFIG_ENV_H

#include "base/option.h"
#include "config/labels.h"

/* `environment` as environ: "NAME=value", ends with NULL. `ignored` are names behind the prefix that are somebody
 * else's ("CONFIG"), case ignored, ends with NULL; may be NULL. Never NULL: a NODE_MAP. A variable with such a
 * prefix that is no option is a warning: images set TRAEFIK_VERSION, and what Kubernetes sets is not even that. */
struct node *env_read(char *const *environment, const struct option_table *table,
                      const char *const *ignored, struct arena *arena, struct diag *diag);
/* The same for variables that stand in a file, with their places there; those with other prefixes are left alone. */
struct node *env_read_at(const struct label *variables, size_t count, const struct option_table *table,
                         const char *const *ignored, struct arena *arena, struct diag *diag);

#endif
