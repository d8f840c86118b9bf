/* The command line -> a tree of nodes, for the options that tables know, and a list of what the command's own
 * flags were given.
 *
 *     --entryPoints.web.address=:8080   --log.level debug   --api   --http.services.s.loadBalancer.servers[0].url=...
 *
 * Options: names in any case; booleans and objects stand alone (= true), other values may follow as a word of
 * their own; the same option again replaces, or adds when it is a list of strings. Own flags: `--name=value`,
 * `--name value`, `-nvalue`, `-n value`. `--` ends flags. Every word is a source of its own, so that mistakes
 * are shown with a caret.
 *
 * Ownership: everything lives in the arena; no word needs to outlive the call. */
#ifndef CONFIG_FLAGS_H
#define CONFIG_FLAGS_H

#include "base/option.h"

/* A flag of a command itself. An array of them ends with name NULL. */
struct flag {
    const char *name;       /* "config" */
    const char *alias;      /* "configFile", or NULL */
    char letter;            /* 'c' for -c, or 0 */
    const char *argument;   /* what its value is called in help ("FILE"); NULL: it takes none */
    const char *help;       /* one line */
};

struct flag_given {
    const struct flag *flag;
    struct str value;       /* empty for one without a value */
    struct span span;       /* of the value, else of the flag */
};

struct flags {
    struct node *options;         /* NODE_MAP, empty when there are none */
    struct flag_given *given;     /* in order */
    size_t given_count;
    struct str *operands;         /* words that are no flags, in order */
    size_t operand_count;
};

/* `words` without the program's and the command's name. `own` and `table` may be NULL. False when an error was
 * reported; all of them are. */
bool flags_read(const char *const *words, size_t count, const struct flag *own,
                const struct option_table *table, struct arena *arena, struct diag *diag,
                struct flags *ret_flags);
/* The same for words that stand in a file: places[i] is where words[i] stands, and mistakes are shown there. */
bool flags_read_at(const char *const *words, const struct span *places, size_t count, const struct flag *own,
                   const struct option_table *table, struct arena *arena, struct diag *diag, struct flags *ret_flags);
/* The last one given under this name, or NULL. */
const struct flag_given *flags_find(const struct flags *flags, const char *name);

#endif
