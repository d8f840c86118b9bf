#include "config/variables.h"

#include "base/text.h"

#define DEPTH_MAX 16
#define FILLED_MAX ((size_t)16 << 20)

void variables_init(struct variables *variables, char *const *environment, struct arena *arena)
{
    variables->arena = arena;
    map_init(&variables->values, false);
    map_init(&variables->missed, false);
    for (; environment != NULL && *environment != NULL; environment++) {
        struct str pair = str_from(*environment);
        ptrdiff_t equals = str_find_char(pair, '=', 0);
        if (equals > 0)
            variables_add(variables, str_first(pair, (size_t)equals), str_from_index(pair, (size_t)equals + 1));
    }
}

void variables_release(struct variables *variables)
{
    map_release(&variables->values);
    map_release(&variables->missed);
}

void variables_add(struct variables *variables, struct str name, struct str value)
{
    if (map_has(&variables->values, name))
        return;
    struct str *kept = arena_new(variables->arena, struct str);
    *kept = arena_str(variables->arena, value);
    map_put(&variables->values, arena_str(variables->arena, name), kept);
}

bool variables_get(const struct variables *variables, struct str name, struct str *ret_value)
{
    const struct str *value = map_get(&variables->values, name);
    *ret_value = value != NULL ? *value : STR_NONE;
    return value != NULL;
}

/* ---- .env ---- */

static struct str unquote(struct str value)
{
    char quote = value.len != 0 ? value.data[0] : '\0';
    if (quote == '"' || quote == '\'') {
        ptrdiff_t end = str_find_char(value, quote, 1);
        return end > 0 ? str_of(value.data + 1, (size_t)end - 1) : value;
    }
    for (size_t i = 1; i < value.len; i++)
        if (value.data[i] == '#' && (value.data[i - 1] == ' ' || value.data[i - 1] == '\t'))
            return str_trim(str_first(value, i));
    return value;
}

void variables_add_lines(struct variables *variables, struct str text)
{
    struct str line;
    while (str_split(&text, '\n', &line)) {
        line = str_trim_space(line);
        if (str_starts(line, S("export ")))
            line = str_trim(str_from_index(line, 7));
        ptrdiff_t equals = str_find_char(line, '=', 0);
        if (equals <= 0 || line.data[0] == '#')
            continue;
        struct str value = str_trim(str_from_index(line, (size_t)equals + 1));
        variables_add(variables, str_trim(str_first(line, (size_t)equals)), unquote(value));
    }
}

/* ---- filling in ---- */

struct filling {
    struct variables *variables;
    struct span span;
    struct diag *diag;
    unsigned depth;
};

static bool is_name(char c, bool first)
{
    return ascii_alpha(c) || c == '_' || (!first && ascii_digit(c));
}

static size_t name_length(struct str text)
{
    size_t len = 0;
    while (len < text.len && is_name(text.data[len], len == 0))
        len++;
    return len;
}

static void tell_missing(const struct filling *filling, struct str name)
{
    struct variables *variables = filling->variables;
    if (map_put(&variables->missed, arena_str(variables->arena, name), variables) == NULL)
        diag_warning(filling->diag, filling->span, "the variable '%.*s' is not set: it is empty", STR_ARGS(name));
}

static void fill(struct filling *filling, struct str text, struct text *out);

/* Behind "${NAME": "}", or a sign and what belongs to it. */
static void fill_braced(struct filling *filling, struct str name, struct str rest, struct text *out)
{
    struct str value;
    bool is_set = variables_get(filling->variables, name, &value);
    bool colon = str_starts(rest, S(":"));
    char sign = rest.len > (size_t)colon ? rest.data[colon] : '\0';
    struct str word = str_from_index(rest, (size_t)colon + 1);
    bool counts = is_set && (!colon || value.len != 0);
    if (rest.len == 0) {
        if (!is_set)
            tell_missing(filling, name);
        text_add(out, value);
    } else if (sign == '-') {
        if (counts)
            text_add(out, value);
        else
            fill(filling, word, out);
    } else if (sign == '+') {
        if (counts)
            fill(filling, word, out);
    } else if (sign == '?') {
        if (!counts)
            diag_error(filling->diag, filling->span, "the variable '%.*s' is required%s%.*s", STR_ARGS(name),
                       word.len != 0 ? ": " : "", STR_ARGS(word));
        text_add(out, value);
    } else {
        diag_error(filling->diag, filling->span, "'${%.*s%.*s}' is no variable", STR_ARGS(name), STR_ARGS(rest));
    }
}

/* The '}' that belongs to the '{' in front of `text`; -1: there is none. */
static ptrdiff_t closing_brace(struct str text)
{
    unsigned depth = 1;
    for (size_t i = 0; i < text.len; i++) {
        depth += text.data[i] == '{' && i > 0 && text.data[i - 1] == '$';
        depth -= text.data[i] == '}';
        if (depth == 0)
            return (ptrdiff_t)i;
    }
    return -1;
}

/* `text` begins behind a dollar; gives how much of it was read. */
static size_t fill_one(struct filling *filling, struct str text, struct text *out)
{
    if (str_starts(text, S("$"))) {
        text_add_char(out, '$');
        return 1;
    }
    bool braced = str_starts(text, S("{"));
    struct str inner = braced ? str_from_index(text, 1) : text;
    ptrdiff_t end = braced ? closing_brace(inner) : 0;
    size_t len = name_length(inner);
    if (len == 0 || end < 0) {
        struct diag_item *item = diag_error(filling->diag, filling->span, "a '$' here begins no variable");
        diag_hint(filling->diag, item, "Compose wants '$$' for a dollar that is one");
        return 0;
    }
    struct str name = str_first(inner, len);
    if (!braced) {
        fill_braced(filling, name, STR_NONE, out);
        return len;
    }
    fill_braced(filling, name, str_of(inner.data + len, (size_t)end - len), out);
    return (size_t)end + 2;
}

static void fill(struct filling *filling, struct str text, struct text *out)
{
    if (filling->depth == DEPTH_MAX)
        return;
    filling->depth++;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '$')
            i += fill_one(filling, str_of(text.data + i + 1, text.len - i - 1), out);
        else
            text_add_char(out, text.data[i]);
    }
    filling->depth--;
}

struct str variables_fill(struct variables *variables, struct str text, struct span span, struct diag *diag)
{
    struct filling filling = {.variables = variables, .span = span, .diag = diag};
    struct text out;
    if (str_find_char(text, '$', 0) < 0)
        return text;
    text_init(&out, FILLED_MAX);
    fill(&filling, text, &out);
    struct str filled = arena_str(variables->arena, text_str(&out));
    text_release(&out);
    return filled;
}
