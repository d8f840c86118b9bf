/* Words of a command, as a shell splits them: white space between, quotes and backslashes within. */
#include "config/compose_reader.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The word that begins at `text.data[at]`; gives where it ends. */
static size_t take_word(struct str text, size_t at, char *out, size_t *ret_length)
{
    char quote = '\0';
    size_t length = 0;
    for (; at < text.len && (quote != '\0' || !is_space(text.data[at])); at++) {
        char c = text.data[at];
        bool escaped = c == '\\' && quote != '\'' && at + 1 < text.len;
        if (escaped)
            out[length++] = text.data[++at];
        else if (quote == '\0' && (c == '"' || c == '\''))
            quote = c;
        else if (c == quote)
            quote = '\0';
        else
            out[length++] = c;
    }
    *ret_length = length;
    return at;
}

void compose_split(struct str text, struct span span, bool as_written, struct arena *arena, struct compose_service *service,
                   bool is_entrypoint)
{
    for (size_t at = 0; at < text.len;) {
        if (is_space(text.data[at])) {
            at++;
            continue;
        }
        size_t length, begin = at;
        char *out = arena_alloc(arena, text.len - at + 1);
        at = take_word(text, at, out, &length);
        out[length] = '\0';
        struct compose_word word = {str_of(out, length), as_written ? span_inside(span, begin, at - begin) : span};
        if (is_entrypoint)
            VEC_PUSH(&service->entrypoint, word);
        else
            VEC_PUSH(&service->command, word);
    }
}
