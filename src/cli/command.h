/* The plug of subcommands: one file each in cli/. Found by name; main.c hands over. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/diag.h"
#include "base/registry.h"
#include "base/str.h"
#include "config/flags.h"

#define EXIT_GOOD 0
#define EXIT_FAILED 1
#define EXIT_USAGE 2

struct command {
    const char *name;
    const char *usage;            /* "explain --config FILE [-X METHOD] URL" */
    const char *summary;          /* one line */
    const struct flag *flags;     /* its own; NULL: none. Configuration options are added when takes_options is set */
    bool takes_options;
    bool own_help;                /* --help and -h are its own to answer */
    bool hidden;                  /* not for people: neither listed nor suggested */
    /* `words` behind the command's name. Gives the exit code. */
    int (*run)(const struct command *command, const char *const *words, size_t count);
};
REGISTRY(command, const struct command);

/* The name that a program's words (behind argv[0]) begin with, "run" where there is none; *words and *count go on behind it. In
 * front of it the program's own name may stand, or Traefik's: images are started with both ("traefik --ping", "portico run"). */
struct str command_name(const char *const **words, size_t *count);
/* NULL when there is none; *ret_suggestion is then the nearest name or empty. */
const struct command *command_find(struct str name, struct str *ret_suggestion);
/* All commands that are not hidden, by name; gives how many. */
size_t command_list(const struct command **out, size_t max);

/* Reads the command's own flags, and options of the configuration where it takes them. A mistake: one line on standard
 * error, several: each with its caret; false. */
bool command_read_flags(const struct command *command, const char *const *words, size_t count, struct arena *arena,
                        struct flags *ret_flags);
/* The same, and then what is to be done with them: gives the exit code of that. The arena is for as long as it takes. */
int command_run_with_flags(const struct command *command, const char *const *words, size_t count,
                           int (*run_with)(const struct command *command, const struct flags *flags, struct arena *arena));
/* Shows what a diag holds on standard error, in colour on a terminal without NO_COLOR. */
void command_show(struct diag *diag);
/* Whether colour is wanted on a descriptor: on a terminal without NO_COLOR. */
bool command_wants_color(int fd);
/* What the command does and takes, on standard output; gives EXIT_GOOD. */
int command_help(const struct command *command);
/* The exit code for a configuration with errors: EXIT_USAGE when all of them stand on the command line. */
int command_failure(const struct diag *diag);
/* One line on standard error for a wrong use, with the usage; gives EXIT_USAGE. */
int command_misused(const struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
