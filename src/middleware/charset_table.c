#include "middleware/charset_table.h"

static bool read_hex(struct str text, unsigned *ret_value)
{
    *ret_value = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = ascii_hex(text.data[i]);
        if (digit < 0)
            return false;
        *ret_value = *ret_value * 16 + (unsigned)digit;
    }
    return text.len != 0 && text.len <= 2;
}

static uint8_t *page_of(struct charset_table *table, unsigned code, struct arena *arena)
{
    uint8_t **page = &table->pages[code >> 8 & 0xff];
    if (*page == NULL)
        *page = arena_zalloc(arena, 256);
    return *page;
}

struct charset_table *charset_table_new(struct str from, struct str to, struct arena *arena)
{
    struct charset_table *table = arena_new(arena, struct charset_table);
    table->from = from;
    table->to = to;
    table->utf8 = str_equal_nocase(to, S("utf-8"));
    for (unsigned i = 0; i < 256; i++) {
        table->forward[i].len = 1;
        table->forward[i].bytes[0] = i < 128 ? (char)i : '?';
        table->back[i] = i < 128 ? (uint8_t)i : '?';
        if (table->utf8 && i < 128)
            page_of(table, i, arena)[i] = (uint8_t)i;
    }
    return table;
}

/* The code point of a whole character of two or three bytes, or one; false: it is none. */
static bool decode(const uint8_t *bytes, size_t len, unsigned *ret_code)
{
    if (len == 1)
        return *ret_code = bytes[0], bytes[0] < 0x80;
    unsigned lead = len == 2 ? 0xc0 : 0xe0, mask = len == 2 ? 0xe0 : 0xf0;
    if (len > 3 || (bytes[0] & mask) != lead)
        return false;
    *ret_code = bytes[0] & ~mask & 0xff;
    for (size_t i = 1; i < len; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return false;
        *ret_code = *ret_code << 6 | (bytes[i] & 0x3f);
    }
    return true;
}

static bool add_utf8(struct charset_table *table, unsigned from, struct str to, struct arena *arena)
{
    uint8_t bytes[CHARSET_CHARACTER_MAX];
    size_t len = to.len / 2;
    unsigned byte, code;
    if (to.len == 0 || to.len % 2 != 0 || len > 3)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!read_hex(str_of(to.data + 2 * i, 2), &byte))
            return false;
        bytes[i] = (uint8_t)byte;
    }
    if (!decode(bytes, len, &code))
        return false;
    table->forward[from].len = (uint8_t)len;
    memcpy(table->forward[from].bytes, bytes, len);
    page_of(table, code, arena)[code & 0xff] = (uint8_t)from;
    return true;
}

bool charset_table_add(struct charset_table *table, struct str from, struct str to, struct arena *arena)
{
    unsigned one, other;
    if (!read_hex(from, &one))
        return false;
    if (table->utf8)
        return add_utf8(table, one, to, arena);
    if (!read_hex(to, &other))
        return false;
    table->forward[one].bytes[0] = (char)other;
    table->back[other] = (uint8_t)one;
    return true;
}
