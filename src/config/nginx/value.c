/* Values as nginx.conf writes them: times, sizes, and texts with variables. */
#include "config/nginx/compile.h"

/* --- times and sizes --------------------------------------------------------------------------------- */

/* From the largest to the smallest: each may come once, in this order. A number without a unit is seconds and comes last. */
static const struct {
    const char *name;
    int64_t ms;
} units[] = {
    {"y", INT64_C(31536000000)}, {"M", INT64_C(2592000000)}, {"w", 604800000}, {"d", 86400000}, {"h", 3600000},
    {"ms", 1},                   {"m", 60000},               {"s", 1000},      {" ", 1000},
};
/* Their places in that order: "ms" is looked for before "m", but stands behind "s"; behind a bare number nothing does. */
static const unsigned char places[] = {0, 1, 2, 3, 4, 7, 5, 6, 6};
#define UNITS (sizeof(units) / sizeof(units[0]))

/* The unit at the front of *rest; the end counts as seconds. UNITS: there is none. */
static size_t take_unit(struct str *rest)
{
    if (str_empty(*rest))
        return UNITS - 1;
    size_t i = 0;
    while (i < UNITS && !str_starts(*rest, str_from(units[i].name)))
        i++;
    if (i < UNITS)
        *rest = str_from_index(*rest, strlen(units[i].name));
    return i;
}

static bool take_number(struct str *rest, int64_t *ret_value)
{
    int64_t value = 0;
    size_t digits = 0;
    for (; digits < rest->len && ascii_digit(rest->data[digits]); digits++) {
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, rest->data[digits] - '0', &value))
            return false;
    }
    *rest = str_from_index(*rest, digits);
    *ret_value = value;
    return digits > 0;
}

bool nginx_time(struct str text, int64_t *ret_ms)
{
    int64_t total = 0;
    int least = -1;
    if (str_empty(text))
        return false;
    while (!str_empty(text)) {
        int64_t value;
        if (!take_number(&text, &value))
            return false;
        size_t unit = take_unit(&text);
        if (unit == UNITS || places[unit] <= least || __builtin_mul_overflow(value, units[unit].ms, &value) ||
            __builtin_add_overflow(total, value, &total))
            return false;
        least = places[unit];
        while (str_starts(text, S(" ")))
            text = str_from_index(text, 1);
    }
    *ret_ms = total;
    return true;
}

bool nginx_size(struct str text, int64_t *ret_bytes)
{
    if (str_empty(text))
        return false;
    int64_t scale = 1;
    switch (ascii_lower(text.data[text.len - 1])) {
    case 'k':
        scale = 1024;
        break;
    case 'm':
        scale = 1024 * 1024;
        break;
    case 'g':
        scale = 1024 * 1024 * 1024;
        break;
    default:
        break;
    }
    int64_t value;
    struct str digits = scale > 1 ? str_first(text, text.len - 1) : text;
    if (!take_number(&digits, &value) || !str_empty(digits) || __builtin_mul_overflow(value, scale, &value))
        return false;
    *ret_bytes = value;
    return true;
}

/* --- texts with variables ---------------------------------------------------------------------------- */

bool nginx_has_variables(struct str text)
{
    return str_find_char(text, '$', 0) >= 0;
}

static bool is_name_char(char c)
{
    return ascii_alpha(c) || ascii_digit(c) || c == '_';
}

/* The name at the front of what stands behind a '$', whose length with braces goes to *ret_length. `$1` is one digit: "$12" is the
 * first capture and a "2". NULL as data: it is none. */
static struct str variable_name(struct str text, size_t *ret_length)
{
    bool braces = str_starts(text, S("{"));
    size_t from = braces ? 1 : 0, to = from;
    if (!braces && text.len > 0 && text.data[0] >= '1' && text.data[0] <= '9')
        to = 1;
    else
        while (to < text.len && is_name_char(text.data[to]))
            to++;
    *ret_length = to + braces;
    if (to == from || (braces && (to == text.len || text.data[to] != '}')))
        return STR_NONE;
    return str_of(text.data + from, to - from);
}

static void report_variable(struct nginx_compile *compile, const struct nginx_word *word, struct str rest, size_t at)
{
    ptrdiff_t length = (ptrdiff_t)rest.len;
    if (str_starts(rest, S("{")) && rest.len > 1 && is_name_char(rest.data[1])) {
        for (length = 1; length < (ptrdiff_t)rest.len && is_name_char(rest.data[length]);)
            length++;
        diag_error(compile->diag, span_inside(word->span, at, (size_t)length + 1),
                   "the closing bracket in \"%.*s\" variable is missing", (int)length - 1, rest.data + 1);
        return;
    }
    struct diag_item *item = diag_error(compile->diag, span_inside(word->span, at, 1), "invalid variable name");
    diag_hint(compile->diag, item, "behind '$' stands a name, which may be in braces");
}

struct str nginx_template(struct nginx_compile *compile, const struct nginx_word *word)
{
    struct str rest = word->text;
    ptrdiff_t dollar = str_find_char(rest, '$', 0);
    if (dollar < 0)
        return rest;
    struct text out;
    text_init(&out, rest.len * 3 + 16);
    for (; dollar >= 0; dollar = str_find_char(rest, '$', 0)) {
        text_add(&out, str_first(rest, (size_t)dollar));
        struct str behind = str_from_index(rest, (size_t)dollar + 1);
        size_t length;
        struct str name = variable_name(behind, &length);
        if (name.data == NULL) {
            /* The place in the model's text, as span_inside counts: that has braces around names. */
            report_variable(compile, word, behind, out.len);
            text_release(&out);
            return word->text;
        }
        text_addf(&out, "${%.*s}", STR_ARGS(name));
        rest = str_from_index(behind, length);
    }
    text_add(&out, rest);
    struct str made = arena_str(compile->arena, text_str(&out));
    text_release(&out);
    return made;
}
