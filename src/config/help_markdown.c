/* The reference pages: the whole tree of tables, each object once where it is first met below itself. */
#include "config/help.h"
#include "config/help_line.h"
#include "config/value.h"

#define DEPTH_MAX 16

struct page {
    struct text *out;
    const struct option_table *open[DEPTH_MAX];   /* those that hold the one being written */
    size_t depth;
};

static void write_section(struct page *page, const struct option_table *table, const char *path,
                          const char *summary);

/* A cell of a table: a bar in it would end it, a backslash keeps it. */
static void add_cell(struct text *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '|')
            text_add_char(out, '\\');
        text_add_char(out, s.data[i]);
    }
}

static void add_notes(const struct option *option, struct text *out)
{
    char bounds[VALUE_BOUNDS_SIZE];
    if (value_bounds(option, bounds, sizeof(bounds)))
        text_addf(out, " Allowed: %s.", bounds);
    if (option->alias != NULL)
        text_addf(out, " Also read as `%s`.", option->alias);
    if (option->accepted != NULL)
        text_addf(out, " Has no effect here: %s.", option->accepted);
}

static void add_row(const struct option *option, struct text *out)
{
    struct text type;
    text_init(&type, 1024);
    help_type(option, &type);
    text_addf(out, "| `%s` | ", option->name);
    add_cell(out, text_str(&type));
    text_release(&type);
    struct str fallback = help_default(option);
    if (option->required)
        text_add(out, S(" | required | "));
    else if (str_empty(fallback))
        text_add(out, S(" | | "));
    else
        text_addf(out, " | `%.*s` | ", STR_ARGS(fallback));
    add_cell(out, str_from(option->help));
    add_notes(option, out);
    text_add(out, S(" |\n"));
}

static void add_rows(const struct option_table *table, struct text *out)
{
    text_add(out, S("| option | type | default | |\n|---|---|---|---|\n"));
    for (size_t i = 0; i < table->count; i++) {
        const struct option *option = &table->options[i];
        if (option->type != OPTION_CHOICE && option->removed == NULL)
            add_row(option, out);
    }
    text_add_char(out, '\n');
}

static void add_choices(const struct option *choice, struct text *out)
{
    const struct choice_type *type;
    text_add(out,
             choice->required ? S("Exactly one of these:\n\n") : S("At most one of these:\n\n"));
    for (size_t i = 0; choice->choices != NULL && (type = choice->choices(i)) != NULL; i++)
        text_addf(out, "- `%s`: %s\n", type->name, type->summary != NULL ? type->summary : "");
    text_add_char(out, '\n');
}

static void write_below(struct page *page, const struct option *option, const char *path)
{
    struct text below;
    text_init(&below, 4096);
    text_addf(&below, "%s%s%s%s", path, path[0] != '\0' ? "." : "", option->name,
              help_suffix(option));
    write_section(page, option->table, text_c(&below), option->table->summary);
    text_release(&below);
}

static void write_choice_types(struct page *page, const struct option *choice, const char *path)
{
    const struct choice_type *type;
    for (size_t i = 0; choice->choices != NULL && (type = choice->choices(i)) != NULL; i++) {
        struct text below;
        text_init(&below, 4096);
        text_addf(&below, "%s.%s", path, type->name);
        write_section(page, type->table, text_c(&below), type->summary);
        text_release(&below);
    }
}

static bool is_open(const struct page *page, const struct option_table *table)
{
    for (size_t i = 0; i < page->depth; i++) {
        if (page->open[i] == table)
            return true;
    }
    return false;
}

static void write_section(struct page *page, const struct option_table *table, const char *path,
                          const char *summary)
{
    if (table == NULL || is_open(page, table) || page->depth == DEPTH_MAX)
        return;
    page->open[page->depth++] = table;
    if (path[0] != '\0')
        text_addf(page->out, "## %s\n\n%s\n\n", path, summary != NULL ? summary : "");
    const struct option *choice = option_find_choice(table);
    if (table->count > (choice != NULL ? 1u : 0u))
        add_rows(table, page->out);
    if (choice != NULL)
        add_choices(choice, page->out);
    for (size_t i = 0; i < table->count; i++) {
        if (table->options[i].table != NULL && table->options[i].removed == NULL)
            write_below(page, &table->options[i], path);
    }
    if (choice != NULL)
        write_choice_types(page, choice, path);
    page->depth--;
}

void help_markdown(const struct option_table *root, const char *title, struct text *out)
{
    struct page page = {.out = out};
    text_addf(out, "# %s\n\n", title);
    write_section(&page, root, "", root->summary);
}
