#include "middleware/charset_table.h"

#include <stdio.h>

#include "base/list.h"

#define ENTITY_MAX 12      /* "&#1114111;" */

struct charset_filter {
    struct filter filter;
    struct chunk_pool *pool;
    const struct charset_table *table;
    bool back;
    uint8_t held[CHARSET_CHARACTER_MAX];      /* the beginning of a character of which more must come */
    size_t held_len;
};

/* Room for what one character may become. */
static bool has_room(struct charset_filter *charset, struct chunk **chunk)
{
    if (*chunk != NULL && chunk_room(*chunk) >= ENTITY_MAX)
        return true;
    if (*chunk != NULL)
        chunk_unref(*chunk);
    *chunk = chunk_new(charset->pool, true);
    return *chunk != NULL;
}

static void put(struct chunk *chunk, struct chunkq *out, const char *bytes, size_t len)
{
    char *at = chunk->data + chunk->used;
    memcpy(at, bytes, len);
    chunk->used += (uint32_t)len;
    chunkq_add(out, chunk, at, len);
}

/* How many bytes the character has whose first one this is; 0: it begins none. */
static size_t length_of(uint8_t lead)
{
    return lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
}

/* What is not in the set becomes a number that browsers read; what is no character, a question mark. */
static void put_code(struct charset_filter *charset, struct chunk *chunk, struct chunkq *out)
{
    static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = charset->held[0] & masks[charset->held_len];
    char entity[ENTITY_MAX + 4];
    for (size_t i = 1; i < charset->held_len; i++)
        code = code << 6 | (charset->held[i] & 0x3f);
    const uint8_t *page = code < 0x10000 ? charset->table->pages[code >> 8] : NULL;
    char byte = page != NULL ? (char)page[code & 0xff] : '\0';
    if (byte != '\0' || code == 0)
        put(chunk, out, &byte, 1);
    else
        put(chunk, out, entity, (size_t)snprintf(entity, sizeof(entity), "&#%u;", code));
}

static bool continues(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* One byte of UTF-8, which may complete a character. */
static void take_utf8(struct charset_filter *charset, uint8_t byte, struct chunk *chunk, struct chunkq *out)
{
    if (charset->held_len != 0 && !continues(byte)) {
        charset->held_len = 0;
        put(chunk, out, "?", 1);
    }
    if (charset->held_len == 0 && length_of(byte) == 0) {
        put(chunk, out, "?", 1);
        return;
    }
    charset->held[charset->held_len++] = byte;
    if (charset->held_len < length_of(charset->held[0]))
        return;
    put_code(charset, chunk, out);
    charset->held_len = 0;
}

static void take_byte(struct charset_filter *charset, uint8_t byte, struct chunk *chunk, struct chunkq *out)
{
    const struct charset_table *table = charset->table;
    if (!charset->back) {
        put(chunk, out, table->forward[byte].bytes, table->forward[byte].len);
    } else if (table->utf8) {
        take_utf8(charset, byte, chunk, out);
    } else {
        char other = (char)table->back[byte];
        put(chunk, out, &other, 1);
    }
}

/* The stretch at the front that the table leaves as it is. */
static size_t plain_length(const struct charset_filter *charset, struct str part)
{
    size_t len = 0;
    while (charset->held_len == 0 && len < part.len && (uint8_t)part.data[len] < 0x80) {
        uint8_t byte = (uint8_t)part.data[len];
        const struct charset_table *table = charset->table;
        bool same = charset->back ? table->utf8 || table->back[byte] == byte
                                  : table->forward[byte].len == 1 && (uint8_t)table->forward[byte].bytes[0] == byte;
        if (!same)
            break;
        len++;
    }
    return len;
}

static enum status process(struct filter *filter, struct chunkq *in, struct chunkq *out, bool end)
{
    struct charset_filter *charset = container_of(filter, struct charset_filter, filter);
    struct chunk *chunk = NULL;
    while (in->bytes != 0) {
        size_t plain = plain_length(charset, chunkq_front(in));
        if (plain != 0) {
            chunkq_move(out, in, plain);
            continue;
        }
        if (!has_room(charset, &chunk))
            return STATUS_OVERLOADED;
        take_byte(charset, (uint8_t)chunkq_front(in).data[0], chunk, out);
        chunkq_drop(in, 1);
    }
    if (chunk != NULL)
        chunk_unref(chunk);
    return STATUS_OK;
}

struct filter *charset_filter_new(struct arena *arena, struct chunk_pool *pool, const struct charset_table *table, bool back)
{
    struct charset_filter *charset = arena_new(arena, struct charset_filter);
    if (charset == NULL)
        return NULL;
    *charset = (struct charset_filter){.filter = {.process = process}, .pool = pool, .table = table, .back = back};
    return &charset->filter;
}
