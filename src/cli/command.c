#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

size_t command_list(const struct command **out, size_t max)
{
    size_t count = 0;
    REGISTRY_FOREACH(command, const struct command, it) {
        size_t at = count;
        if (count == max)
            break;
        for (; at > 0 && strcmp(out[at - 1]->name, (*it)->name) > 0; at--)
            out[at] = out[at - 1];
        out[at] = *it;
        count++;
    }
    return count;
}

const struct command *command_find(struct str name, struct str *ret_suggestion)
{
    const struct command *commands[64];
    struct str names[64];
    size_t count = command_list(commands, 64);
    for (size_t i = 0; i < count; i++) {
        names[i] = str_from(commands[i]->name);
        if (str_equal(names[i], name))
            return commands[i];
    }
    *ret_suggestion = nearest(name, names, count);
    return NULL;
}

static bool wants_color(void)
{
    return isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL;
}

void command_show(struct diag *diag)
{
    struct text text;
    text_init(&text, (size_t)4 << 20);
    diag_sort(diag);
    diag_render(diag, wants_color(), &text);
    fputs(text_c(&text), stderr);
    text_release(&text);
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
    bool good = flags_read(words, count, command->flags, NULL, arena, &diag, ret_flags);
    if (!good) {
        const struct diag_item *first = &diag.items[0];
        command_misused(command, "%.*s%s%.*s", STR_ARGS(first->message), first->hint.len != 0 ? "; " : "", STR_ARGS(first->hint));
    }
    diag_release(&diag);
    return good;
}
