#include "config/help.h"

#include "config/help_line.h"
#include "config/place.h"
#include "config/value.h"

#define KEY_WIDTH_MIN ((size_t)22)   /* of the first column of a list of options */

void help_type(const struct option *option, struct text *out)
{
    if (option->type != OPTION_ENUM) {
        text_add(out, str_from(option_type_text(option)));
        return;
    }
    for (const struct option_name *it = option->names; it->name != NULL; it++)
        text_addf(out, "%s%s", it == option->names ? "" : " | ", it->name);
}

struct str help_default(const struct option *option)
{
    if (option->fallback != NULL)
        return str_from(option->fallback);
    switch ((enum option_type)option->type) {
    case OPTION_BOOL:
        return S("false");
    case OPTION_INT:
    case OPTION_NUMBER:
    case OPTION_SIZE:
        return S("0");
    case OPTION_DURATION:
        return S("0s");
    case OPTION_ENUM:
    case OPTION_STR:
    case OPTION_STRS:
    case OPTION_STRMAP:
    case OPTION_STRUCT:
    case OPTION_OBJECT:
    case OPTION_LIST:
    case OPTION_MAP:
    case OPTION_CHOICE:
        return STR_NONE;
    }
    return STR_NONE;
}

const char *help_suffix(const struct option *option)
{
    if (option->type == OPTION_MAP || option->type == OPTION_STRMAP)
        return ".NAME";
    return option->type == OPTION_LIST ? "[0]" : "";
}

/* --- what was asked for ----------------------------------------------------------------------------- */

/* A path as it was found. */
struct found {
    struct place place;
    struct str path;   /* as the tables spell it, NAME for names */
};

static void extend(struct arena *arena, struct found *found, struct str key)
{
    struct place *place = &found->place;
    if (place->index_next) {
        place_index(place);
        found->path = arena_printf(arena, "%.*s[0]", STR_ARGS(found->path));
    }
    struct str spelled = place->name_next ? S("NAME") : place_spelling(place, key);
    if (place_enter(place, key))
        found->path = arena_printf(arena, "%.*s%s%.*s", STR_ARGS(found->path),
                                   str_empty(found->path) ? "" : ".", STR_ARGS(spelled));
}

static struct str without_index(struct str part)
{
    ptrdiff_t bracket = str_find_char(part, '[', 0);
    return bracket < 0 ? part : str_first(part, (size_t)bracket);
}

static struct found follow(const struct option_table *root, struct str path, struct arena *arena)
{
    struct found found = {.place = place_root(root)};
    struct str rest = path, part;
    while (!str_empty(path) && str_split(&rest, '.', &part))
        extend(arena, &found, without_index(part));
    return found;
}

/* The path as the environment writes it. */
static void add_environment_name(struct text *out, struct str path)
{
    text_add(out, S("PORTICO_"));
    for (size_t i = 0; i < path.len; i++) {
        char c = path.data[i];
        if (c == '.' || c == '[')
            text_add_char(out, '_');
        else if (c != ']')
            text_add_char(out, c >= 'a' && c <= 'z' ? (char)(c - 32) : c);
    }
}

/* --- one option ------------------------------------------------------------------------------------- */

static void add_value_lines(const struct option *option, struct text *out)
{
    char bounds[VALUE_BOUNDS_SIZE];
    text_add(out, S("  type     "));
    help_type(option, out);
    text_add_char(out, '\n');
    if (option->required)
        text_add(out, S("  required\n"));
    else if (!str_empty(help_default(option)))
        text_addf(out, "  default  %.*s\n", STR_ARGS(help_default(option)));
    if (value_bounds(option, bounds, sizeof(bounds)))
        text_addf(out, "  allowed  %s\n", bounds);
    if (option->alias != NULL)
        text_addf(out, "  also     %s\n", option->alias);
}

static void add_spellings(const struct found *found, struct text *out)
{
    text_addf(out, "  flag     --%.*s%s\n", STR_ARGS(found->path),
              place_is_switch(&found->place) ? "" : "=VALUE");
    text_add(out, S("  env      "));
    add_environment_name(out, found->path);
    text_add_char(out, '\n');
}

/* What a list of a table's options shows of it: not those that are no longer read, and a choice's types apart. */
static bool is_listed(const struct option *option)
{
    return option->type != OPTION_CHOICE && option->removed == NULL;
}

/* Of the longest name, so that all texts stand in one column. */
static size_t key_width(const struct option_table *table, const struct option *choice)
{
    const struct choice_type *type;
    size_t width = KEY_WIDTH_MIN, len;
    for (size_t i = 0; i < table->count; i++) {
        const struct option *option = &table->options[i];
        if (is_listed(option) && (len = strlen(option->name) + strlen(help_suffix(option))) > width)
            width = len;
    }
    for (size_t i = 0; choice != NULL && (type = choice->choices(i)) != NULL; i++)
        if ((len = strlen(type->name)) > width)
            width = len;
    return width;
}

static void add_row(const char *name, const char *suffix, size_t width, const char *help, struct text *out)
{
    size_t len = strlen(name) + strlen(suffix);
    text_addf(out, "  %s%s%*s  %s\n", name, suffix, (int)(width - len), "", help != NULL ? help : "");
}

static void add_children(const struct option_table *table, struct text *out)
{
    const struct choice_type *type;
    const struct option *choice = option_find_choice(table);
    if (choice != NULL && (choice->choices == NULL || choice->choices(0) == NULL))
        choice = NULL;
    size_t width = key_width(table, choice);
    for (size_t i = 0; i < table->count; i++) {
        const struct option *option = &table->options[i];
        if (is_listed(option))
            add_row(option->name, help_suffix(option), width, option->help, out);
    }
    if (choice == NULL)
        return;
    text_add(out, choice->required ? S("\nExactly one of:\n") : S("\nAt most one of:\n"));
    for (size_t i = 0; (type = choice->choices(i)) != NULL; i++)
        add_row(type->name, "", width, type->summary, out);
}

/* A map or list of objects is described by what is in it. */
static const struct option_table *table_inside(const struct place *place)
{
    if (place->table != NULL || place->option == NULL)
        return place->table;
    return place->option->table;
}

static void describe(const struct found *found, struct text *out)
{
    const struct place *place = &found->place;
    const struct option *option = place->option;
    const struct option_table *table = table_inside(place);
    if (!str_empty(found->path))
        text_addf(out, "%.*s\n", STR_ARGS(found->path));
    if (option != NULL && option->help != NULL)
        text_addf(out, "  %s\n", option->help);
    else if (place->choice != NULL && place->choice->summary != NULL)
        text_addf(out, "  %s\n", place->choice->summary);
    if (option != NULL && option->removed != NULL) {
        text_addf(out, "  No longer read: %s.\n", option->removed);
        return;
    }
    if (option != NULL && option->accepted != NULL)
        text_addf(out, "  Has no effect here: %s.\n", option->accepted);
    if (option != NULL && (place->is_value || place->name_next || place->index_next)) {
        text_add_char(out, '\n');
        add_value_lines(option, out);
    }
    if (!str_empty(found->path))
        add_spellings(found, out);
    if (table != NULL) {
        text_add_char(out, '\n');
        add_children(table, out);
    }
}

static void suggest(const struct place *place, struct str path, struct str failed,
                    struct arena *arena, struct text *out)
{
    size_t count, before = (size_t)(failed.data - path.data);
    const struct str *keys = place_keys(place, arena, &count);
    struct str found = nearest(failed, keys, count);
    text_addf(out, "no option '%.*s'", STR_ARGS(path));
    if (!str_empty(found))
        text_addf(out, ", did you mean '%.*s%.*s%.*s'?", STR_ARGS(str_first(path, before)),
                  STR_ARGS(found), STR_ARGS(str_from_index(path, before + failed.len)));
}

bool help_option(const struct option_table *root, struct str path, struct arena *arena,
                 struct text *out)
{
    struct place place = place_root(root);
    struct str failed;
    if (!str_empty(path) && !place_follow(&place, path, &failed)) {
        struct str elsewhere = place_search(root, path, arena);
        if (str_empty(elsewhere)) {
            suggest(&place, path, failed, arena, out);
            return false;
        }
        path = elsewhere;
    }
    struct found found = follow(root, path, arena);
    describe(&found, out);
    return true;
}
