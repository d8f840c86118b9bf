/* `portico run`: the proxy itself. Reads nothing but the command line here; what it means is the process's. */
#include <unistd.h>

#include "cli/command.h"
#include "cli/process.h"
#include "model/model.h"

static int run(const struct command *command, const char *const *words, size_t count)
{
    struct arena arena;
    struct flags flags;
    arena_init(&arena, ARENA_UNLIMITED);
    bool good = command_read_flags(command, words, count, &arena, &flags);
    size_t operands = flags.operand_count;
    if (good && operands != 0)
        command_misused(command, "'%.*s' is no flag", STR_ARGS(flags.operands[0]));
    arena_release(&arena);
    if (!good || operands != 0)
        return EXIT_USAGE;
    struct settings settings = {.words = words, .word_count = count, .environment = environ};
    return process_run(&settings);
}

static const struct command run_command = {
    .name = "run",
    .usage = "[run] --config FILE [--OPTION=VALUE...]",
    .summary = "Runs the proxy (this is what happens without a command).",
    .flags = settings_flags,
    .takes_options = true,
    .run = run,
};
REGISTER(command, run_command);
