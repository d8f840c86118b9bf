/* Variables as Compose fills them into its files: $NAME, ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME:?complaint},
 * ${NAME?complaint}, ${NAME:+instead}, ${NAME+instead}, and $$ for a dollar. What stands behind a sign may hold variables itself.
 * They come from the environment and, where that says nothing, from a `.env` file.
 *
 * Not read: variables inside of a `.env` file's values, which stay as they are.
 * Ownership: texts live in the arena and in the environment. One owner. No I/O. */
#ifndef CONFIG_VARIABLES_H
#define CONFIG_VARIABLES_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/map.h"

struct variables {
    struct map values;               /* name -> struct str, in the arena */
    struct map missed;               /* names that were told to be missing: each once */
    struct arena *arena;
};

/* `environment` as environ. */
void variables_init(struct variables *variables, char *const *environment, struct arena *arena);
void variables_release(struct variables *variables);
/* The lines of a `.env` file: NAME=value, perhaps with `export` before it, quotes around the value, a comment behind it. */
void variables_add_lines(struct variables *variables, struct str text);
/* Adds one unless it is there. */
void variables_add(struct variables *variables, struct str name, struct str value);
/* False: it is not set. */
bool variables_get(const struct variables *variables, struct str name, struct str *ret_value);

/* `text` with its variables filled in. One that is not set is empty, with a warning; one that is demanded, and what cannot be read,
 * is an error at `span`. */
struct str variables_fill(struct variables *variables, struct str text, struct span span, struct diag *diag);

#endif
