/* A growable string on the heap, with a stated maximum.
 *
 * Ownership: text_init/text_release in place. Errors are sticky: once the maximum is reached `overflow`
 * is set and what does not fit is dropped, so a caller checks once at the end. Not thread-safe. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>

#include "base/str.h"

struct text {
    char *data;
    size_t len;
    size_t capacity;
    size_t max;      /* bytes that it may grow to */
    bool overflow;
};

void text_init(struct text *text, size_t max);
void text_release(struct text *text);
void text_clear(struct text *text);
/* Makes room for `extra` bytes at data + len; false on overflow. */
bool text_reserve(struct text *text, size_t extra);
void text_add(struct text *text, struct str s);
void text_add_char(struct text *text, char c);
/* Decimal digits into `out`, 20 at most; how many. */
size_t text_put_u64(char *out, uint64_t value);
void text_add_u64(struct text *text, uint64_t value);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vaddf(struct text *text, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/* As the inside of a JSON string (RFC 8259 7), without the quotes; bytes that are not UTF-8 become
 * U+FFFD. */
void text_add_json(struct text *text, struct str s);
/* As text of an HTML or XML element, or of an attribute's value in double quotes. */
void text_add_html(struct text *text, struct str s);
/* NUL-terminated view of what is there. */
const char *text_c(struct text *text);
static inline struct str text_str(const struct text *text)
{
    return str_of(text->data, text->len);
}

#endif
