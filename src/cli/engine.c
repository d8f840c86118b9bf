/* `portico engine`: what the process starts itself as when it reads a container engine. Nobody else has a use for it. */
#include <stdio.h>

#include "cli/command.h"
#include "provider/docker/helper.h"

static int run(const struct command *command, const char *const *words, size_t count)
{
    if (count != 0 || !helper_is_expected(HELPER_FD)) {
        fputs("portico: 'engine' is started by portico itself, to read a container engine\n", stderr);
        return EXIT_USAGE;
    }
    helper_run(HELPER_FD);
}

static const struct command engine_command = {
    .name = "engine", .usage = "engine", .summary = "Started by portico itself: the process that reads a container engine.", .hidden = true, .run = run};
REGISTER(command, engine_command);
