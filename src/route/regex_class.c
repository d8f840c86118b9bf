#include "route/regex_class.h"

static const char bad_escape[] = "this escape is not part of Go's regular expressions";

static bool read_hex(struct regex_syntax *syntax, struct str in, size_t *at,
                     uint32_t *ret_character)
{
    size_t start = *at, i = start + 2;
    uint32_t value = 0;
    bool braced = i < in.len && in.data[i] == '{';
    size_t first = i += braced ? 1 : 0;
    size_t most = braced ? 8 : 2;
    for (; i < in.len && i - first < most && ascii_hex(in.data[i]) >= 0; i++)
        value = value << 4 | (uint32_t)ascii_hex(in.data[i]);
    bool complete = braced ? i > first && i < in.len && in.data[i] == '}' : i - first == 2;
    if (!complete || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return regex_fail(syntax, start,
                          "\\x takes two hexadecimal digits, or a character as \\x{2014}");
    *at = i + (braced ? 1 : 0);
    *ret_character = value;
    return true;
}

/* \0, \012, \123: octal, as Go reads it; \1 to \9 alone would be back-references. */
static bool read_octal(struct regex_syntax *syntax, struct str in, size_t *at,
                       uint32_t *ret_character)
{
    size_t start = *at, i = start + 1;
    bool second = i + 1 < in.len && in.data[i + 1] >= '0' && in.data[i + 1] <= '7';
    if (in.data[i] != '0' && (in.data[i] > '7' || !second))
        return regex_fail(syntax, start,
                          "back-references are not part of Go's regular expressions");
    uint32_t value = 0;
    for (; i < in.len && i - start <= 3 && in.data[i] >= '0' && in.data[i] <= '7'; i++)
        value = value << 3 | (uint32_t)(in.data[i] - '0');
    *at = i;
    *ret_character = value;
    return true;
}

bool regex_read_escape(struct regex_syntax *syntax, struct str in, size_t *at,
                       uint32_t *ret_character)
{
    static const char letters[] = "afnrtv", values[] = "\a\f\n\r\t\v";
    if (*at + 1 >= in.len)
        return regex_fail(syntax, *at, "the pattern ends with a backslash");
    char c = in.data[*at + 1];
    if (c == 'x')
        return read_hex(syntax, in, at, ret_character);
    if (ascii_digit(c))
        return read_octal(syntax, in, at, ret_character);
    const char *letter = c != '\0' ? strchr(letters, c) : NULL;
    if (letter == NULL && (ascii_alpha(c) || (uint8_t)c >= 0x80))
        return regex_fail(syntax, *at, bad_escape);
    *ret_character = letter != NULL ? (uint8_t)values[letter - letters] : (uint8_t)c;
    *at += 2;
    return true;
}

/* \pN, \p{Greek}, \P{^Lu}; the name itself is PCRE2's to know. */
static bool read_property(struct regex_syntax *syntax, struct str in, size_t *at)
{
    size_t start = *at, i = start + 2;
    syntax->needs_utf = syntax->sees_characters = true;
    if (i < in.len && in.data[i] != '{' && ascii_alpha(in.data[i])) {
        text_addf(&syntax->pcre, "\\%c%c", in.data[start + 1], in.data[i]);
        *at = i + 1;
        return true;
    }
    ptrdiff_t end = i < in.len && in.data[i] == '{' ? str_find_char(in, '}', i) : -1;
    if (end < 0)
        return regex_fail(syntax, start,
                          "\\p takes a class of characters, as in \\pL or \\p{Greek}");
    for (size_t k = i + 1; k < (size_t)end; k++)
        if (!ascii_alpha(in.data[k]) && in.data[k] != '_' && !(in.data[k] == '^' && k == i + 1))
            return regex_fail(syntax, start, "there is no such class of characters");
    text_add(&syntax->pcre, str_of(in.data + start, (size_t)end + 1 - start));
    *at = (size_t)end + 1;
    return true;
}

bool regex_read_set(struct regex_syntax *syntax, struct str in, size_t *at)
{
    char c = *at + 1 < in.len && in.data[*at] == '\\' ? in.data[*at + 1] : '\0';
    if (c == 'p' || c == 'P') {
        read_property(syntax, in, at);
        return true;
    }
    if (c != 'd' && c != 'D' && c != 'w' && c != 'W')
        return false;
    if (c == 'D' || c == 'W')
        syntax->sees_characters = true;
    text_addf(&syntax->pcre, "\\%c", c);
    *at += 2;
    return true;
}

/* Written as ranges: PCRE2 (10.42) forgets what \D, \W and \S of the same class say beyond U+00FF
 * when a positive [:name:] follows them. */
static const struct {
    const char *name, *ranges;
} posix_classes[] = {
    {"alnum", "0-9A-Za-z"},
    {"alpha", "A-Za-z"},
    {"ascii", "\\x00-\\x7f"},
    {"blank", "\\t\\x20"},
    {"cntrl", "\\x00-\\x1f\\x7f"},
    {"digit", "0-9"},
    {"graph", "\\x21-\\x7e"},
    {"lower", "a-z"},
    {"print", "\\x20-\\x7e"},
    {"punct", "\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e"},
    {"space", "\\t\\n\\x0b\\f\\r\\x20"},
    {"upper", "A-Z"},
    {"word", "0-9A-Z_a-z"},
    {"xdigit", "0-9A-Fa-f"},
};

/* "[:alpha:]" or "[:^alpha:]" inside a class; false when it is not there. */
static bool read_posix(struct regex_syntax *syntax, struct str in, size_t *at)
{
    struct str rest = str_from_index(in, *at);
    ptrdiff_t end = str_starts(rest, S("[:")) ? str_find(str_from_index(rest, 2), S(":]")) : -1;
    if (end < 0)
        return false;
    struct str name = str_of(rest.data + 2, (size_t)end);
    bool negative = str_starts(name, S("^"));
    for (size_t i = 0; i < sizeof(posix_classes) / sizeof(posix_classes[0]); i++) {
        if (!str_equal(str_from_index(name, negative ? 1 : 0), str_from(posix_classes[i].name)))
            continue;
        text_add(&syntax->pcre,
                 negative ? str_first(rest, (size_t)end + 4) : str_from(posix_classes[i].ranges));
        syntax->sees_characters = syntax->sees_characters || negative;
        *at += (size_t)end + 4;
        return true;
    }
    regex_fail(syntax, *at, "there is no such class of characters");
    return true;
}

/* \s and \S mean less in Go than in PCRE2: no vertical tab. */
static bool read_space(struct regex_syntax *syntax, struct str in, size_t *at)
{
    struct str rest = str_from_index(in, *at);
    if (str_starts(rest, S("\\s"))) {
        text_add(&syntax->pcre, S("\\t\\n\\f\\r\\x{20}"));
    } else if (str_starts(rest, S("\\S"))) {
        text_add(&syntax->pcre, S("\\S\\x{b}"));
        syntax->sees_characters = true;
    } else {
        return false;
    }
    *at += 2;
    return true;
}

static bool read_class_character(struct regex_syntax *syntax, struct str in, size_t *at,
                                 uint32_t *ret_character)
{
    size_t len;
    if (*at >= in.len)
        return regex_fail(syntax, in.len, "the class has no closing \"]\"");
    if (in.data[*at] == '\\')
        return regex_read_escape(syntax, in, at, ret_character);
    if (!utf8_decode(str_from_index(in, *at), ret_character, &len))
        return regex_fail(syntax, *at, "the pattern is not UTF-8");
    *at += len;
    return true;
}

static bool read_range(struct regex_syntax *syntax, struct str in, size_t *at)
{
    size_t start = *at;
    uint32_t low, high;
    if (!read_class_character(syntax, in, at, &low))
        return false;
    regex_add_character(syntax, low);
    if (*at + 1 >= in.len || in.data[*at] != '-' || in.data[*at + 1] == ']')
        return true;
    ++*at;
    if (!read_class_character(syntax, in, at, &high))
        return false;
    if (high < low)
        return regex_fail(syntax, start, "the range runs backwards");
    text_add_char(&syntax->pcre, '-');
    regex_add_character(syntax, high);
    return true;
}

bool regex_read_class(struct regex_syntax *syntax, struct str in, size_t *at)
{
    size_t open = (*at)++;
    text_add_char(&syntax->pcre, '[');
    if (*at < in.len && in.data[*at] == '^') {
        text_add_char(&syntax->pcre, '^');
        syntax->sees_characters = true;
        ++*at;
    }
    for (bool first = true; *at < in.len && (first || in.data[*at] != ']'); first = false) {
        bool set = read_posix(syntax, in, at) || read_space(syntax, in, at) ||
                   regex_read_set(syntax, in, at);
        if (syntax->error != NULL || (!set && !read_range(syntax, in, at)))
            return false;
    }
    if (*at >= in.len)
        return regex_fail(syntax, open, "the class has no closing \"]\"");
    ++*at;
    text_add_char(&syntax->pcre, ']');
    return true;
}
