/* `portico schema`: what editors need to complete and check configuration files. */
#include "config/schema.h"

#include <stdio.h>

#include "cli/command.h"
#include "model/model.h"

#define SCHEMA_MAX ((size_t)16 << 20)

static int run(const struct command *command, const char *const *words, size_t count)
{
    struct text text;
    if (count != 0)
        return command_misused(command, "'schema' takes no arguments");
    text_init(&text, SCHEMA_MAX);
    schema_write(&config_table, "Portico", &text);
    bool whole = !text.overflow && fwrite(text_c(&text), 1, text.len, stdout) == text.len && fflush(stdout) == 0;
    text_release(&text);
    return whole ? EXIT_GOOD : EXIT_FAILED;
}

static const struct command schema = {
    .name = "schema", .usage = "schema", .summary = "Prints the JSON Schema of configuration files.", .run = run};
REGISTER(command, schema);
