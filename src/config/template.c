#include "config/template.h"

#include <stdlib.h>

#include "base/text.h"

#define EXPANDED_MAX (64u << 20)

struct reader {
    struct str content;
    const struct source *source;
    bool everywhere;
    struct arena *arena;
    struct diag *diag;
};

static struct span span_of(const struct reader *reader, size_t offset, size_t length)
{
    size_t line = 1, line_start = 0;
    for (size_t i = 0; i < offset; i++) {
        if (reader->content.data[i] == '\n') {
            line++;
            line_start = i + 1;
        }
    }
    return span_make(reader->source, line, offset - line_start + 1, length);
}

/* Of the line up to `offset`. */
static struct str line_before(const struct reader *reader, size_t offset)
{
    size_t start = offset;
    while (start > 0 && reader->content.data[start - 1] != '\n')
        start--;
    return str_of(reader->content.data + start, offset - start);
}

/* A '#' that begins the line or stands behind white space, outside of quotes. */
static bool in_comment(struct str before)
{
    char quote = '\0';
    for (size_t i = 0; i < before.len; i++) {
        char c = before.data[i], last = i > 0 ? before.data[i - 1] : ' ';
        bool opens = strchr(" \t[{,:", last) != NULL;
        if (quote != '\0')
            quote = c == quote ? '\0' : quote;
        else if ((c == '"' || c == '\'') && opens)
            quote = c;
        else if (c == '#' && (last == ' ' || last == '\t'))
            return true;
    }
    return false;
}

static bool begins_value(struct str before)
{
    struct str trimmed = str_trim(before);
    if (str_empty(trimmed))
        return true;
    return strchr(":-[,", trimmed.data[trimmed.len - 1]) != NULL &&
           before.len > (size_t)(trimmed.data + trimmed.len - before.data);
}

/* `inside` is what stands between the braces: env "NAME" or env `NAME`. */
static bool parse_env(struct str inside, struct str *ret_name)
{
    struct str text = str_trim(inside);
    if (!str_starts(text, S("env ")))
        return false;
    text = str_trim(str_from_index(text, 4));
    if (text.len < 3 || (text.data[0] != '"' && text.data[0] != '`') ||
        text.data[text.len - 1] != text.data[0])
        return false;
    *ret_name = str_of(text.data + 1, text.len - 2);
    return str_find_char(*ret_name, text.data[0], 0) < 0;
}

static void add_variable(struct reader *reader, struct str name, size_t offset, size_t length,
                         struct text *out)
{
    const char *value = getenv(arena_str(reader->arena, name).data);
    if (value == NULL)
        diag_warning(reader->diag, span_of(reader, offset, length),
                     "environment variable '%.*s' is not set: nothing stands here", STR_ARGS(name));
    text_add(out, str_from(value));
}

static void report_template(struct reader *reader, size_t offset, size_t length)
{
    struct diag_item *item = diag_error(reader->diag, span_of(reader, offset, length),
                                        "Go templates are not read in configuration files");
    diag_hint(reader->diag, item, "only {{ env \"NAME\" }} is");
}

/* What begins at `offset` with "{{"; gives how many bytes of the content are dealt with. */
static size_t read_template(struct reader *reader, size_t offset, struct text *out)
{
    struct str rest = str_from_index(reader->content, offset);
    ptrdiff_t close = str_find(rest, S("}}")), line_end = str_find_char(rest, '\n', 0);
    bool closed = close > 0 && (line_end < 0 || close < line_end);
    size_t length = closed ? (size_t)close + 2 : 2;
    struct str name, before = line_before(reader, offset);
    if (!in_comment(before)) {
        if (closed && parse_env(str_of(rest.data + 2, (size_t)close - 2), &name)) {
            add_variable(reader, name, offset, length, out);
            return length;
        }
        if (reader->everywhere || begins_value(before))
            report_template(reader, offset, length);
    }
    text_add(out, str_first(rest, length));
    return length;
}

struct str template_expand(struct str name, struct str content, bool everywhere,
                           struct arena *arena, struct diag *diag)
{
    ptrdiff_t at = str_find(content, S("{{"));
    if (at < 0)
        return content;
    struct reader reader = {content, diag_source(arena, name, content), everywhere, arena, diag};
    struct text out;
    text_init(&out, EXPANDED_MAX);
    size_t done = 0;
    while (at >= 0) {
        text_add(&out, str_of(content.data + done, (size_t)at));
        done += (size_t)at;
        done += read_template(&reader, done, &out);
        at = str_find(str_from_index(content, done), S("{{"));
    }
    text_add(&out, str_from_index(content, done));
    if (out.overflow)
        diag_error(diag, SPAN_NONE, "%.*s is too large with its variables filled in",
                   STR_ARGS(name));
    struct str expanded = arena_str(arena, text_str(&out));
    text_release(&out);
    return expanded;
}
