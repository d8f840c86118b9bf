#include "cli/help_variables.h"

#include "exchange/variable_table.h"

#define TYPES_MAX 1024
#define NAME_WIDTH 28

static size_t types_of(const struct variable_type **types)
{
    size_t count = variable_types(types, TYPES_MAX);
    return count < TYPES_MAX ? count : TYPES_MAX;
}

static const char *rest(const struct variable_type *type)
{
    return type->family ? "NAME" : "";
}

void help_variables(struct text *out)
{
    const struct variable_type *types[TYPES_MAX];
    size_t count = types_of(types);
    text_add(out, S("Templates name variables as ${name}; nginx's and the dotted names mean the same.\n\n"));
    for (size_t i = 0; i < count; i++) {
        const struct variable_type *type = types[i];
        size_t before = out->len;
        text_addf(out, "  %s%s", type->name, rest(type));
        do
            text_add_char(out, ' ');
        while (out->len - before < NAME_WIDTH);
        text_add(out, str_from(type->help));
        if (type->alias != NULL)
            text_addf(out, " (%s%s)", type->alias, rest(type));
        text_add_char(out, '\n');
    }
}

static void add_cell(struct text *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '|')
            text_add_char(out, '\\');
        text_add_char(out, s.data[i]);
    }
}

void help_variables_markdown(struct text *out)
{
    const struct variable_type *types[TYPES_MAX];
    size_t count = types_of(types);
    text_add(out, S("# Variables\n\nWhat templates can name: `${host}`, or `${request.host}`, which is the same variable. In nginx.conf it "
                    "is `$host`. What they are good for, and how to make your own, says [scripts.md](scripts.md).\n\n"
                    "| variable | dotted | |\n|---|---|---|\n"));
    for (size_t i = 0; i < count; i++) {
        const struct variable_type *type = types[i];
        text_addf(out, "| `%s%s` | ", type->name, rest(type));
        if (type->alias != NULL)
            text_addf(out, "`%s%s` ", type->alias, rest(type));
        text_add(out, S("| "));
        add_cell(out, str_from(type->help));
        text_add(out, S(" |\n"));
    }
}
