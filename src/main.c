/* argv -> subcommand. `portico --flags` is `portico run --flags`. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

static int unknown_command(struct str name, struct str suggestion)
{
    fprintf(stderr, "portico: unknown command '%.*s'", STR_ARGS(name));
    if (suggestion.len != 0)
        fprintf(stderr, ", did you mean '%.*s'?\n", STR_ARGS(suggestion));
    else
        fputs("; 'portico help' lists them\n", stderr);
    return EXIT_USAGE;
}

/* `portico COMMAND --help`, wherever it stands among the flags. */
static bool wants_help(const char *const *words, size_t count)
{
    for (size_t i = 0; i < count && strcmp(words[i], "--") != 0; i++)
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
            return true;
    return false;
}

/* By the name that a link to the program has: all its words are nginx's then. */
static bool is_called_nginx(const char *path)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    return path != NULL && strcmp(slash != NULL ? slash + 1 : path, "nginx") == 0;
}

int main(int argc, char **argv)
{
    const char *const *words = (const char *const *)argv + 1;
    size_t count = argc > 0 ? (size_t)argc - 1 : 0;
    struct str suggestion = STR_NONE, name = is_called_nginx(argv[0]) ? S("nginx") : command_name(&words, &count);
    const struct command *command = command_find(name, &suggestion);
    if (command == NULL)
        return unknown_command(name, suggestion);
    return !command->own_help && wants_help(words, count) ? command_help(command) : command->run(command, words, count);
}
