#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "model/model.h"

size_t command_list(const struct command **out, size_t max)
{
    size_t count = 0;
    REGISTRY_FOREACH(command, const struct command, it) {
        size_t at = count;
        if (count == max)
            break;
        if ((*it)->hidden)
            continue;
        for (; at > 0 && strcmp(out[at - 1]->name, (*it)->name) > 0; at--)
            out[at] = out[at - 1];
        out[at] = *it;
        count++;
    }
    return count;
}

static bool take(const char *const **words, size_t *count, const char *first, const char *second)
{
    bool taken = *count != 0 && (strcmp(**words, first) == 0 || strcmp(**words, second) == 0);
    *words += taken ? 1 : 0;
    *count -= taken ? 1 : 0;
    return taken;
}

struct str command_name(const char *const **words, size_t *count)
{
    take(words, count, "traefik", "portico");
    if (take(words, count, "--help", "-h")) {
        *count = 0;
        return S("help");
    }
    if (take(words, count, "--version", "--version")) {
        *count = 0;
        return S("version");
    }
    if (*count == 0 || (*words)[0][0] == '-')
        return S("run");
    --*count;
    return str_from(*(*words)++);
}

const struct command *command_find(struct str name, struct str *ret_suggestion)
{
    const struct command *commands[64];
    struct str names[64];
    size_t count = command_list(commands, 64);
    REGISTRY_FOREACH(command, const struct command, it)
        if (str_equal(str_from((*it)->name), name))
            return *it;
    for (size_t i = 0; i < count; i++)
        names[i] = str_from(commands[i]->name);
    *ret_suggestion = nearest(name, names, count);
    return NULL;
}

bool command_wants_color(int fd)
{
    return isatty(fd) && getenv("NO_COLOR") == NULL;
}

void command_show(struct diag *diag)
{
    struct text text;
    text_init(&text, (size_t)4 << 20);
    diag_sort(diag);
    diag_render(diag, command_wants_color(STDERR_FILENO), &text);
    fputs(text_c(&text), stderr);
    text_release(&text);
}

int command_failure(const struct diag *diag)
{
    for (size_t i = 0; i < diag->count; i++) {
        const struct source *source = diag->items[i].span.source;
        if (diag->items[i].severity == DIAG_ERROR && (source == NULL || !source->word || !str_starts(source->name, S("-"))))
            return EXIT_FAILED;
    }
    return diag->errors != 0 ? EXIT_USAGE : EXIT_FAILED;
}

int command_misused(const struct command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("portico: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "; usage: portico %s\n", command->usage);
    return EXIT_USAGE;
}

bool command_read_flags(const struct command *command, const char *const *words, size_t count, struct arena *arena,
                        struct flags *ret_flags)
{
    struct diag diag;
    diag_init(&diag, arena);
    const struct option_table *table = command->takes_options ? &config_table : NULL;
    bool good = flags_read(words, count, command->flags, table, arena, &diag, ret_flags);
    if (!good && diag.errors == 1) {
        const struct diag_item *first = &diag.items[0];
        command_misused(command, "%.*s%s%.*s", STR_ARGS(first->message), first->hint.len != 0 ? ", " : "", STR_ARGS(first->hint));
    } else if (!good) {
        command_show(&diag);
    }
    diag_release(&diag);
    return good;
}

int command_run_with_flags(const struct command *command, const char *const *words, size_t count,
                           int (*run_with)(const struct command *command, const struct flags *flags, struct arena *arena))
{
    struct arena arena;
    struct flags flags;
    arena_init(&arena, ARENA_UNLIMITED);
    int code = EXIT_USAGE;
    if (command_read_flags(command, words, count, &arena, &flags))
        code = run_with(command, &flags, &arena);
    arena_release(&arena);
    return code;
}

int command_help(const struct command *command)
{
    printf("%s\n\nUsage: portico %s\n", command->summary, command->usage);
    if (command->flags != NULL)
        putchar('\n');
    for (const struct flag *flag = command->flags; flag != NULL && flag->name != NULL; flag++) {
        char letter[5] = "";
        if (flag->letter != 0)
            snprintf(letter, sizeof(letter), "-%c, ", flag->letter);
        int width = printf("  %4s--%s%s%s", letter, flag->name, flag->argument != NULL ? " " : "",
                           flag->argument != NULL ? flag->argument : "");
        printf("%*s%s\n", width < 32 ? 32 - width : 1, "", flag->help);
    }
    if (command->takes_options)
        puts("\nAny option of the configuration may be given as well (--log.level=debug): 'portico help OPTION' explains it,\n"
             "'portico help options' lists those at the top.");
    return EXIT_GOOD;
}
