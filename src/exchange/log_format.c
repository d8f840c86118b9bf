#include "exchange/log_format.h"

#include "exchange/exchange.h"
#include "exchange/variable.h"

struct part {
    struct str literal;               /* in front of the variable */
    const struct variable *variable;  /* NULL: the end */
};

struct line_format {
    struct part *parts;
    size_t count;
    enum log_escape escape;
};

/* ---- reading ---- */

static size_t count_variables(struct str text)
{
    size_t count = 0;
    for (ptrdiff_t at; (at = str_find(text, S("${"))) >= 0; count++)
        text = str_from_index(text, (size_t)at + 2);
    return count;
}

/* The text up to the next variable, whose name is given; data NULL: there is none. */
static struct str next_variable(struct str *rest, struct str *ret_literal)
{
    ptrdiff_t begin = str_find(*rest, S("${"));
    ptrdiff_t end = begin >= 0 ? str_find_char(*rest, '}', (size_t)begin) : -1;
    if (end < 0) {
        *ret_literal = *rest;
        *rest = STR_NONE;
        return STR_NONE;
    }
    struct str name = str_of(rest->data + begin + 2, (size_t)(end - begin) - 2);
    *ret_literal = str_first(*rest, (size_t)begin);
    *rest = str_from_index(*rest, (size_t)end + 1);
    return name;
}

const struct line_format *log_format_new(struct str text, enum log_escape escape, struct compile *compile, struct span span)
{
    struct line_format *format = arena_new(compile->arena, struct line_format);
    struct str rest = arena_str(compile->arena, text);
    bool good = true;
    format->parts = arena_array(compile->arena, struct part, count_variables(text) + 1);
    format->escape = escape;
    for (;;) {
        struct part *part = &format->parts[format->count++];
        struct str name = next_variable(&rest, &part->literal);
        if (name.data == NULL)
            return good ? format : NULL;
        part->variable = variable_find(name, compile, span);
        good = good && part->variable != NULL;
    }
}

/* ---- writing ---- */

static const char upper[] = "0123456789ABCDEF";

static bool is_plain(unsigned char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

static bool is_plain_json(unsigned char c)
{
    return c >= ' ' && c != '"' && c != '\\';
}

static void add_hex(struct text *out, const char *begin, unsigned char c)
{
    text_add(out, str_from(begin));
    text_add_char(out, upper[c >> 4]);
    text_add_char(out, upper[c & 15]);
}

static void add_json(struct text *out, unsigned char c)
{
    static const char *const short_forms[] = {['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r",
                                              ['"'] = "\\\"", ['\\'] = "\\\\"};
    if (c < sizeof(short_forms) / sizeof(short_forms[0]) && short_forms[c] != NULL)
        text_add(out, str_from(short_forms[c]));
    else
        add_hex(out, "\\u00", c);
}

void log_escape_value(enum log_escape escape, struct str value, struct text *out)
{
    size_t from = 0;
    for (size_t i = 0; escape != LOG_ESCAPE_NONE && i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (escape == LOG_ESCAPE_JSON ? is_plain_json(c) : is_plain(c))
            continue;
        text_add(out, str_of(value.data + from, i - from));
        if (escape == LOG_ESCAPE_JSON)
            add_json(out, c);
        else
            add_hex(out, "\\x", c);
        from = i + 1;
    }
    text_add(out, str_from_index(value, from));
}

void log_format_write(const struct line_format *format, struct exchange *x, struct text *out)
{
    for (size_t i = 0; i < format->count; i++) {
        const struct part *part = &format->parts[i];
        text_add(out, part->literal);
        if (part->variable == NULL)
            continue;
        struct str value = variable_get(part->variable, x);
        if (value.data != NULL)
            log_escape_value(format->escape, value, out);
        else if (format->escape == LOG_ESCAPE_DEFAULT)
            text_add_char(out, '-');
    }
}
