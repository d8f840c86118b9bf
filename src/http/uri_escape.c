#include "http/uri_escape.h"

static bool stands_in_query(char c)
{
    return c > ' ' && c < 0x7f && memchr("\"#%&+;<>?\\^`{|}", c, 15) == NULL;
}

struct str uri_escape_in_query(struct arena *arena, struct str text)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t escaped = 0;
    for (size_t i = 0; i < text.len; i++)
        escaped += !stands_in_query(text.data[i]);
    if (escaped == 0)
        return text;
    char *start = arena_alloc(arena, text.len + 2 * escaped), *out = start;
    if (start == NULL)
        return STR_NONE;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (stands_in_query(text.data[i])) {
            *out++ = text.data[i];
            continue;
        }
        *out++ = '%';
        *out++ = digits[c >> 4];
        *out++ = digits[c & 15];
    }
    return str_of(start, (size_t)(out - start));
}

/* The byte that "%XX" at `at` stands for; -1: none. */
static int escaped_byte(struct str text, size_t at)
{
    if (text.data[at] != '%' || at + 2 >= text.len)
        return -1;
    int high = ascii_hex(text.data[at + 1]), low = ascii_hex(text.data[at + 2]);
    return high >= 0 && low >= 0 ? high << 4 | low : -1;
}

struct str uri_unescape_needless(struct arena *arena, struct str text)
{
    ptrdiff_t mark = str_find_char(text, '?', 0);
    size_t end = mark >= 0 ? (size_t)mark : text.len, at = 0;
    if (memchr(text.data != NULL ? text.data : "", '%', end) == NULL)
        return text;
    char *start = arena_alloc(arena, text.len), *out = start;
    if (start == NULL)
        return STR_NONE;
    while (at < end) {
        int byte = escaped_byte(text, at);
        if (byte > '%' && byte < 0x7f) {
            *out++ = (char)byte;
            at += 3;
            /* A "?" that was escaped begins the query as well. */
            if (byte == '?')
                break;
        } else {
            *out++ = text.data[at++];
        }
    }
    out = mempcpy(out, text.data + at, text.len - at);
    return str_of(start, (size_t)(out - start));
}
