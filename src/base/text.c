/* Owns one heap buffer, always a byte larger than `capacity` so that text_c has room for its NUL. */
#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/digits.h"
#include "base/memory.h"
#include "base/swar.h"
#include "base/utf8.h"

#define CAPACITY_FIRST 64

void text_init(struct text *text, size_t max)
{
    *text = (struct text){.max = max};
}

void text_release(struct text *text)
{
    free(text->data);
    text_init(text, text->max);
}

void text_clear(struct text *text)
{
    text->len = 0;
    text->overflow = false;
}

bool text_reserve(struct text *text, size_t extra)
{
    if (text->overflow || extra > text->max - text->len) {
        text->overflow = true;
        return false;
    }
    size_t needed = text->len + extra;
    if (needed <= text->capacity && text->data != NULL)
        return true;
    size_t capacity = text->capacity != 0 ? text->capacity : CAPACITY_FIRST;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    if (capacity > text->max)
        capacity = text->max;
    text->data = memory_resize(text->data, capacity + 1);
    text->capacity = capacity;
    return true;
}

void text_add(struct text *text, struct str s)
{
    if (s.len == 0 || !text_reserve(text, s.len))
        return;
    memcpy(text->data + text->len, s.data, s.len);
    text->len += s.len;
}

void text_add_char(struct text *text, char c)
{
    if (text_reserve(text, 1))
        text->data[text->len++] = c;
}

size_t text_put_u64(char *out, uint64_t value)
{
    return (size_t)(digits_put(out, value) - out);
}

void text_add_u64(struct text *text, uint64_t value)
{
    char digits[DIGITS_MAX];
    text_add(text, str_of(digits, text_put_u64(digits, value)));
}

void text_addf(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_vaddf(text, format, args);
    va_end(args);
}

/* vsnprintf's NUL fits always: the buffer has a byte beyond its capacity. */
void text_vaddf(struct text *text, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    size_t room = text->data != NULL ? text->capacity - text->len + 1 : 0;
    int len = vsnprintf(room != 0 ? text->data + text->len : NULL, room, format, args);
    assert(len >= 0);
    if (text_reserve(text, (size_t)len)) {
        if ((size_t)len >= room)
            vsnprintf(text->data + text->len, (size_t)len + 1, format, again);
        text->len += (size_t)len;
    }
    va_end(again);
}

static bool needs_escape(char c)
{
    return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

static void add_escape(struct text *text, char c)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *found = c != '\0' ? strchr(from, c) : NULL;
    if (found != NULL)
        text_addf(text, "\\%c", to[found - from]);
    else
        text_addf(text, "\\u%04x", (unsigned)(unsigned char)c);
}

/* Runs that need no change are copied whole. */
void text_add_json(struct text *text, struct str s)
{
    size_t at = 0, run = 0;
    while (at < s.len) {
        if (s.len - at >= 8 && swar_plain(swar_load64(s.data + at))) {
            at += 8;
            continue;
        }
        size_t length = utf8_sequence(str_from_index(s, at));
        if (length != 0 && !needs_escape(s.data[at])) {
            at += length;
            continue;
        }
        text_add(text, str_of(s.data + run, at - run));
        if (length == 0)
            text_add(text, S("\xef\xbf\xbd"));
        else
            add_escape(text, s.data[at]);
        run = ++at;
    }
    text_add(text, str_from_index(s, run));
}

void text_add_html(struct text *text, struct str s)
{
    size_t run = 0;
    for (size_t at = 0; at < s.len; at++) {
        char c = s.data[at];
        struct str entity = c == '&' ? S("&amp;") : c == '<' ? S("&lt;") : c == '>' ? S("&gt;") : c == '"' ? S("&quot;") : STR_NONE;
        if (entity.len == 0)
            continue;
        text_add(text, str_of(s.data + run, at - run));
        text_add(text, entity);
        run = at + 1;
    }
    text_add(text, str_from_index(s, run));
}

const char *text_c(struct text *text)
{
    if (text->data == NULL)
        return "";
    text->data[text->len] = '\0';
    return text->data;
}
