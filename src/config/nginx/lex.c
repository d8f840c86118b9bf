/* One pass over the bytes; lines are counted on the way, since words in quotes may span several. */
#include "config/nginx/lex.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

void nginx_lex_begin(struct nginx_lexer *lexer, const struct source *source, struct arena *arena, struct diag *diag)
{
    *lexer = (struct nginx_lexer){.source = source, .arena = arena, .diag = diag, .line = 1};
    if (str_starts(source->content, S(BYTE_ORDER_MARK)))
        lexer->at = lexer->line_start = sizeof(BYTE_ORDER_MARK) - 1;
    ptrdiff_t zero = str_find_char(source->content, '\0', 0);
    lexer->end = zero < 0 ? source->content.len : (size_t)zero;
    if (zero >= 0 && diag != NULL)
        diag_error(diag, (struct span){.source = source}, "there is a zero byte in it: this is no text");
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool at_end(const struct nginx_lexer *lexer)
{
    return lexer->at >= lexer->end;
}

static char peek(const struct nginx_lexer *lexer)
{
    return lexer->source->content.data[lexer->at];
}

static void step(struct nginx_lexer *lexer)
{
    if (lexer->source->content.data[lexer->at++] != '\n')
        return;
    lexer->line++;
    lexer->line_start = lexer->at;
}

static void begin_span(struct nginx_lexer *lexer)
{
    lexer->span = span_make(lexer->source, lexer->line, (size_t)(lexer->at - lexer->line_start) + 1, 1);
}

/* What is underlined ends with the first line. */
static void end_span(struct nginx_lexer *lexer, size_t start)
{
    size_t end = lexer->at;
    if (lexer->line != lexer->span.line)
        end = (size_t)str_find_char(lexer->source->content, '\n', start);      /* there is one: the line is another */
    lexer->span.length = span_make(NULL, 0, 0, end > start ? end - start : 1).length;
}

static enum nginx_token read_comment(struct nginx_lexer *lexer)
{
    struct str content = lexer->source->content;
    size_t start = lexer->at + 1;
    ptrdiff_t end = str_find_char(content, '\n', start);
    lexer->at = end < 0 || (size_t)end > lexer->end ? lexer->end : (size_t)end;
    struct str text = str_of(content.data + start, lexer->at - start);
    if (str_ends(text, S("\r")))
        text.len--;
    lexer->word = (struct nginx_word){.text = text, .span = lexer->span};
    return NGINX_TOKEN_COMMENT;
}

/* The character that an escape means, '\0' when the backslash stays. */
static char escaped(char c)
{
    switch (c) {
    case '"':
    case '\'':
    case '\\':
        return c;
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'n':
        return '\n';
    default:
        return '\0';
    }
}

static struct str unescape(struct arena *arena, struct str raw)
{
    if (str_find_char(raw, '\\', 0) < 0)
        return raw;
    char *out = arena_alloc(arena, raw.len + 1);
    size_t length = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char meaning = raw.data[i] == '\\' && i + 1 < raw.len ? escaped(raw.data[i + 1]) : '\0';
        i += meaning != '\0';
        out[length++] = meaning != '\0' ? meaning : raw.data[i];
    }
    out[length] = '\0';
    return str_of(out, length);
}

/* To the first byte behind the word, its closing quote not included. False: the text ended before. */
static bool find_word_end(struct nginx_lexer *lexer, char quote)
{
    bool skip = false, variable = false;
    for (; !at_end(lexer); step(lexer)) {
        char c = peek(lexer);
        if (skip) {
            skip = false;
            continue;
        }
        if (c == '{' && variable)
            continue;
        variable = c == '$';
        skip = c == '\\';
        if (quote != '\0' ? c == quote : is_space(c) || c == ';' || c == '{')
            return true;
    }
    return false;
}

static void check_behind_quote(struct nginx_lexer *lexer)
{
    if (lexer->diag == NULL || at_end(lexer))
        return;
    char c = peek(lexer);
    if (is_space(c) || c == ';' || c == '{' || c == ')')
        return;
    struct span place = lexer->span;
    begin_span(lexer);
    struct diag_item *item = diag_error(lexer->diag, lexer->span, "unexpected \"%c\"", c);
    diag_hint(lexer->diag, item, c == '}' ? "is a ';' missing before it?" : "a space or ';' belongs behind the closing quote");
    lexer->span = place;
}

static enum nginx_token read_word(struct nginx_lexer *lexer)
{
    struct str content = lexer->source->content;
    size_t start = lexer->at;
    char quote = peek(lexer) == '"' || peek(lexer) == '\'' ? peek(lexer) : '\0';
    if (quote != '\0')
        step(lexer);
    size_t from = lexer->at;
    if (!find_word_end(lexer, quote)) {
        end_span(lexer, start);
        lexer->unfinished = true;
        return NGINX_TOKEN_END;
    }
    struct str raw = str_of(content.data + from, lexer->at - from);
    if (quote != '\0')
        step(lexer);
    end_span(lexer, start);
    /* Whether what was written differs from what it means: then span_inside has steps to make. */
    lexer->span.quoted = quote != '\0' || str_find_char(raw, '\\', 0) >= 0 || str_find_char(raw, '$', 0) >= 0;
    lexer->word = (struct nginx_word){.text = unescape(lexer->arena, raw), .span = lexer->span, .quoted = quote != '\0'};
    if (quote != '\0')
        check_behind_quote(lexer);
    return NGINX_TOKEN_WORD;
}

enum nginx_token nginx_lex(struct nginx_lexer *lexer)
{
    while (!at_end(lexer) && is_space(peek(lexer)))
        step(lexer);
    begin_span(lexer);
    if (at_end(lexer))
        return NGINX_TOKEN_END;
    switch (peek(lexer)) {
    case ';':
        step(lexer);
        return NGINX_TOKEN_SEMICOLON;
    case '{':
        step(lexer);
        return NGINX_TOKEN_OPEN;
    case '}':
        step(lexer);
        return NGINX_TOKEN_CLOSE;
    case '#':
        return read_comment(lexer);
    default:
        return read_word(lexer);
    }
}
