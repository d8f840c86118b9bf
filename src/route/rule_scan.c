#include "route/rule_scan.h"

static struct token make(struct str text, size_t at, size_t length, enum token_kind kind)
{
    return (struct token){.kind = kind,
                          .offset = (uint32_t)at,
                          .length = (uint32_t)length,
                          .text = str_of(text.data + at, length)};
}

static struct token bad(struct str text, size_t at, size_t length, const char *message,
                        const char *hint)
{
    struct token token = make(text, at, length, TOKEN_BAD);
    token.message = message;
    token.hint = hint;
    return token;
}

static bool name_byte(char c)
{
    return ascii_alpha(c) || ascii_digit(c) || c == '_';
}

/* `...`: as it stands; Go drops carriage returns. */
static struct token scan_raw(struct str text, size_t at, struct arena *arena)
{
    ptrdiff_t end = str_find_char(text, '`', at + 1);
    if (end < 0)
        return bad(text, at, text.len - at, "the string has no closing back-quote", "");
    struct token token = make(text, at, (size_t)end + 1 - at, TOKEN_STRING);
    token.value = str_of(text.data + at + 1, (size_t)end - at - 1);
    token.verbatim = str_find_char(token.value, '\r', 0) < 0;
    if (!token.verbatim) {
        char *copy = arena_alloc(arena, token.value.len);
        size_t len = 0;
        for (size_t i = 0; i < token.value.len; i++)
            if (token.value.data[i] != '\r')
                copy[len++] = token.value.data[i];
        token.value = str_of(copy, len);
    }
    return token;
}

static size_t encode_utf8(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00u >> len & 0xff) | c);
    return len;
}

/* Digits of \ooo, \xhh, \uhhhh, \Uhhhhhhhh; gives how many bytes were read, 0 when they are none.
 */
static size_t read_digits(struct str rest, size_t count, unsigned base, uint32_t *ret_value)
{
    uint32_t value = 0;
    if (rest.len < count)
        return 0;
    for (size_t i = 0; i < count; i++) {
        int digit = ascii_hex(rest.data[i]);
        if (digit < 0 || (unsigned)digit >= base)
            return 0;
        value = value * base + (uint32_t)digit;
    }
    *ret_value = value;
    return count;
}

/* One escape of a Go string behind the backslash; writes at most 4 bytes. Gives the bytes read, 0:
 * bad. */
static size_t unescape(struct str rest, char *out, size_t *ret_len)
{
    static const char letters[] = "abfnrtv\\\"", values[] = "\a\b\f\n\r\t\v\\\"";
    char c = rest.len > 0 ? rest.data[0] : '\0';
    const char *letter = c != '\0' ? strchr(letters, c) : NULL;
    uint32_t value = 0;
    *ret_len = 1;
    if (letter != NULL) {
        out[0] = values[letter - letters];
        return 1;
    }
    size_t read;
    if (c == 'u' || c == 'U') {
        read = read_digits(str_from_index(rest, 1), c == 'u' ? 4 : 8, 16, &value);
        if (read == 0 || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
            return 0;
        *ret_len = encode_utf8(value, out);
        return read + 1;
    }
    read = c == 'x' ? read_digits(str_from_index(rest, 1), 2, 16, &value)
                    : read_digits(rest, 3, 8, &value);
    out[0] = (char)value;
    return read == 0 || value > 255 ? 0 : read + (c == 'x' ? 1 : 0);
}

/* Where the closing quote stands; text.len when there is none on the line. */
static size_t quoted_end(struct str text, size_t at)
{
    size_t i = at + 1;
    while (i < text.len && text.data[i] != '"' && text.data[i] != '\n')
        i += text.data[i] == '\\' ? 2 : 1;
    return i < text.len && text.data[i] == '"' ? i : text.len;
}

/* "...": Go's escapes, no line ends inside. */
static struct token scan_quoted(struct str text, size_t at, struct arena *arena)
{
    size_t end = quoted_end(text, at), len = 0;
    if (end == text.len)
        return bad(text, at, text.len - at, "the string has no closing quote", "");
    struct token token = make(text, at, end + 1 - at, TOKEN_STRING);
    struct str inside = str_of(text.data + at + 1, end - at - 1);
    token.verbatim = str_find_char(inside, '\\', 0) < 0;
    token.value = inside;
    if (token.verbatim)
        return token;
    char *copy = arena_alloc(arena, inside.len + 4);
    for (size_t i = 0; i < inside.len;) {
        if (inside.data[i] != '\\') {
            copy[len++] = inside.data[i++];
            continue;
        }
        size_t written, read = unescape(str_from_index(inside, i + 1), copy + len, &written);
        if (read == 0)
            return bad(text, at + 1 + i, 2, "unknown escape in a double-quoted string",
                       "a string in back-quotes takes backslashes as they are");
        i += 1 + read;
        len += written;
    }
    token.value = str_of(copy, len);
    return token;
}

static struct token scan_single_quoted(struct str text, size_t at)
{
    ptrdiff_t end = str_find_char(text, '\'', at + 1);
    size_t length = end < 0 ? text.len - at : (size_t)end + 1 - at;
    return bad(text, at, length,
               "strings stand in back-quotes or double quotes, not in single quotes",
               "write it in `back-quotes`");
}

static struct token scan_operator(struct str text, size_t at)
{
    bool twice = at + 1 < text.len && text.data[at + 1] == text.data[at];
    if (text.data[at] == '&')
        return twice ? make(text, at, 2, TOKEN_AND)
                     : bad(text, at, 1, "'&' is not an operator", "did you mean '&&'?");
    return twice ? make(text, at, 2, TOKEN_OR)
                 : bad(text, at, 1, "'|' is not an operator", "did you mean '||'?");
}

struct token token_scan(struct str text, size_t at, struct arena *arena)
{
    while (at < text.len && (text.data[at] == ' ' || text.data[at] == '\t' ||
                             text.data[at] == '\n' || text.data[at] == '\r'))
        at++;
    if (at >= text.len)
        return make(text, text.len, 0, TOKEN_END);
    switch (text.data[at]) {
    case '(':
        return make(text, at, 1, TOKEN_OPEN);
    case ')':
        return make(text, at, 1, TOKEN_CLOSE);
    case ',':
        return make(text, at, 1, TOKEN_COMMA);
    case '!':
        return make(text, at, 1, TOKEN_NOT);
    case '&':
    case '|':
        return scan_operator(text, at);
    case '`':
        return scan_raw(text, at, arena);
    case '"':
        return scan_quoted(text, at, arena);
    case '\'':
        return scan_single_quoted(text, at);
    default:
        break;
    }
    size_t end = at;
    while (end < text.len && name_byte(text.data[end]))
        end++;
    if (end > at)
        return make(text, at, end - at, TOKEN_NAME);
    while (end < text.len && (uint8_t)text.data[end] >= 0x80)
        end++;
    return bad(text, at, end > at ? end - at : 1, "this does not belong into a rule", "");
}
