/* A template is a row of stretches: texts as they stand and variables. */
#include "exchange/text_template.h"

#include "exchange/variable.h"
#include "http/uri_escape.h"

struct stretch {
    struct str text;
    const struct variable *variable;      /* NULL: `text` */
    bool is_capture;
};

struct text_template {
    size_t count;
    const struct stretch *stretches;
    struct str constant;          /* without variables: the whole */
    bool has_variables;
};

#define STRETCHES_ON_STACK 16

/* The next "${name}" at or after `from`: where it begins, its name, and what follows it. */
static bool next_variable(struct str text, size_t from, size_t *ret_start, struct str *ret_name, size_t *ret_end)
{
    for (ptrdiff_t at; (at = str_find_char(text, '$', from)) >= 0; from = (size_t)at + 1) {
        size_t start = (size_t)at;
        if (start + 1 >= text.len || text.data[start + 1] != '{')
            continue;
        ptrdiff_t close = str_find_char(text, '}', start + 2);
        *ret_start = start;
        *ret_end = close >= 0 ? (size_t)close + 1 : text.len;
        *ret_name = str_of(text.data + start + 2, (close >= 0 ? (size_t)close : text.len) - start - 2);
        return true;
    }
    return false;
}

bool text_template_is_in(struct str text)
{
    size_t start, end;
    struct str name;
    return next_variable(text, 0, &start, &name, &end);
}

static size_t count_stretches(struct str text)
{
    size_t count = 1, at = 0, start;
    struct str name;
    for (; next_variable(text, at, &start, &name, &at);)
        count += 2;
    return count;
}

/* Where the name stands, when the span is that of the text as it was written. */
static struct span place_of(struct str text, struct span span, struct str part)
{
    size_t quotes = span.quoted ? 2 : 0;
    return span.length == text.len + quotes ? span_inside(span, (size_t)(part.data - text.data), part.len) : span;
}

static const struct variable *find_variable(struct str text, struct str name, size_t end, struct compile *compile, struct span span)
{
    if (text.data[end - 1] != '}') {
        diag_error(compile->diag, span, "'${' without its '}'");
        return NULL;
    }
    if (name.len == 0) {
        diag_error(compile->diag, span, "'${}' names no variable");
        return NULL;
    }
    return variable_find(name, compile, place_of(text, span, name));
}

/* All variables are looked at, so that every mistake is told. */
static bool read_stretches(struct text_template *template, struct stretch *stretches, struct str text, struct compile *compile,
                           struct span span)
{
    size_t at = 0, start, end;
    struct str name;
    bool good = true;
    for (; next_variable(text, at, &start, &name, &end); at = end) {
        if (start > at)
            stretches[template->count++].text = str_of(text.data + at, start - at);
        const struct variable *variable = find_variable(text, name, end, compile, span);
        stretches[template->count++] =
            (struct stretch){.variable = variable, .is_capture = name.len == 1 && ascii_digit(name.data[0])};
        good &= variable != NULL;
        template->has_variables = true;
    }
    if (at < text.len)
        stretches[template->count++].text = str_from_index(text, at);
    return good;
}

const struct text_template *text_template_new(struct str text, struct compile *compile, struct span span)
{
    struct text_template *template = arena_new(compile->arena, struct text_template);
    struct stretch *stretches = arena_array(compile->arena, struct stretch, count_stretches(text));
    template->constant = text.data != NULL ? arena_str(compile->arena, text) : S("");
    template->stretches = stretches;
    return read_stretches(template, stretches, template->constant, compile, span) ? template : NULL;
}

bool text_template_is_constant(const struct text_template *template)
{
    return !template->has_variables;
}

static struct str join(const struct str *parts, size_t count, size_t len, struct arena *arena)
{
    char *joined = arena_alloc(arena, len), *out = joined;
    if (joined == NULL)
        return STR_NONE;
    for (size_t i = 0; i < count; i++)
        if (parts[i].len != 0)
            out = mempcpy(out, parts[i].data, parts[i].len);
    return str_of(joined, len);
}

static struct str text_of(const struct stretch *stretch, struct exchange *x, bool escaped)
{
    if (stretch->variable == NULL)
        return stretch->text;
    struct str value = variable_get(stretch->variable, x);
    return escaped && stretch->is_capture ? uri_escape_in_query(&x->arena, value) : value;
}

static __attribute__((noinline)) struct str put_together(const struct text_template *template, struct exchange *x, bool escaped)
{
    struct str few[STRETCHES_ON_STACK], *parts = few;
    size_t len = 0;
    if (template->count > STRETCHES_ON_STACK && (parts = arena_array(&x->arena, struct str, template->count)) == NULL)
        return STR_NONE;
    for (size_t i = 0; i < template->count; i++) {
        parts[i] = text_of(&template->stretches[i], x, escaped);
        len += parts[i].len;
    }
    return join(parts, template->count, len, &x->arena);
}

/* Most are a text or one variable. */
static inline struct str evaluate(const struct text_template *template, struct exchange *x, bool escaped)
{
    if (!template->has_variables)
        return template->constant;
    return template->count == 1 ? text_of(&template->stretches[0], x, escaped) : put_together(template, x, escaped);
}

struct str text_template_text(const struct text_template *template, struct exchange *x)
{
    return evaluate(template, x, false);
}

struct str text_template_escaped(const struct text_template *template, struct exchange *x)
{
    return evaluate(template, x, true);
}
