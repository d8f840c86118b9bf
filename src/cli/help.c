/* `portico help`: of the commands, of one command, of an option; and the whole reference as Markdown. */
#include <stdio.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/help_variables.h"
#include "config/help.h"
#include "model/model.h"

#define HELP_MAX ((size_t)16 << 20)

static const struct flag flags_of_help[] = {
    {.name = "markdown", .help = "The reference of all options (or variables), as docs/options.md has it."},
    {.name = NULL},
};

static void list_commands(void)
{
    const struct command *commands[64];
    size_t count = command_list(commands, 64);
    puts("Portico, a reverse proxy.\n");
    for (size_t i = 0; i < count; i++)
        printf("  portico %-12s %s\n", commands[i]->name, commands[i]->summary);
    puts("\n'portico help COMMAND' and 'portico help OPTION' tell more, 'portico help options' lists the options at the top, \n'portico help variables' what templates can name.");
}

static int print(struct text *text)
{
    bool whole = !text->overflow && fwrite(text_c(text), 1, text->len, stdout) == text->len && fflush(stdout) == 0;
    return whole ? EXIT_GOOD : EXIT_FAILED;
}

static int print_reference(void)
{
    struct text text;
    text_init(&text, HELP_MAX);
    help_markdown(&config_table, "Options", &text);
    int code = print(&text);
    text_release(&text);
    return code;
}

static int print_variables(bool markdown)
{
    struct text text;
    text_init(&text, HELP_MAX);
    if (markdown)
        help_variables_markdown(&text);
    else
        help_variables(&text);
    int code = print(&text);
    text_release(&text);
    return code;
}

static int explain_option(struct str path, struct str command_meant, struct arena *arena)
{
    struct text text;
    text_init(&text, HELP_MAX);
    int code = EXIT_USAGE;
    if (help_option(&config_table, str_equal(path, S("options")) ? STR_NONE : path, arena, &text))
        code = print(&text);
    else if (command_meant.len != 0)
        fprintf(stderr, "portico: no command or option '%.*s', did you mean '%.*s'?\n", STR_ARGS(path), STR_ARGS(command_meant));
    else
        fprintf(stderr, "portico: %s\n", text_c(&text));
    text_release(&text);
    return code;
}

static int explain_word(const struct command *command, const struct flags *flags, struct arena *arena)
{
    struct str meant;
    if (flags->operand_count == 1 && str_equal(flags->operands[0], S("variables")))
        return print_variables(flags_find(flags, "markdown") != NULL);
    if (flags_find(flags, "markdown") != NULL)
        return flags->operand_count == 0 ? print_reference() : command_misused(command, "--markdown is the whole reference");
    if (flags->operand_count > 1)
        return command_misused(command, "one word at a time");
    if (flags->operand_count == 0) {
        list_commands();
        return EXIT_GOOD;
    }
    const struct command *found = command_find(flags->operands[0], &meant);
    return found != NULL ? command_help(found) : explain_option(flags->operands[0], meant, arena);
}

static int run(const struct command *command, const char *const *words, size_t count)
{
    return command_run_with_flags(command, words, count, explain_word);
}

static const struct command help_command = {
    .name = "help",
    .usage = "help [COMMAND | OPTION | variables] [--markdown]",
    .summary = "Explains a command or an option.",
    .flags = flags_of_help,
    .run = run,
};
REGISTER(command, help_command);
