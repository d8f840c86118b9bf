/* Which well-known field a name is: a perfect hash over the first and last eight bytes of the name, then
 * one comparison by words. For parsers that do this ten times per head; others call field_identify.
 *
 * The tables are built from FIELD_TABLE before main runs and are read-only after that; that the hash is
 * perfect is asserted there, so a new field that collides stops every test at once. */
#ifndef HTTP_FIELD_ID_H
#define HTTP_FIELD_ID_H

#include "http/fields.h"

#define FIELD_NAME_MAX 22
#define FIELD_SLOT_BITS 7
/* Chosen so that no two names of FIELD_TABLE share a slot. */
#define FIELD_HASH UINT64_C(0x863e7bd6cdb71051)
/* Sets the bit that makes letters lower case, in each byte. */
#define FIELD_FOLD UINT64_C(0x2020202020202020)

/* A name as up to three words, with masks that leave out the case of letters. */
struct field_words {
    uint64_t first, last, middle;
};

struct field_entry {
    struct field_words name, mask;
    uint64_t len;
};

/* "Content-Length: ", padded so that it can be copied as three words. */
struct field_prefix {
    char text[FIELD_NAME_MAX + 2];
    uint8_t name_len;
};

extern uint8_t field_slots[1 << FIELD_SLOT_BITS];
extern struct field_entry field_entries[FIELD_COUNT];
extern struct field_prefix field_prefixes[FIELD_COUNT];

static inline uint64_t field_load(const char *at, size_t size)
{
    uint64_t word = 0;
    memcpy(&word, at, size);
    return word;
}

/* The words of a name of at least two bytes, without the middle one. */
static inline struct field_words field_words_of(const char *name, size_t len)
{
    if (len >= 8)
        return (struct field_words){field_load(name, 8), field_load(name + len - 8, 8), 0};
    if (len >= 4)
        return (struct field_words){field_load(name, 4), field_load(name + len - 4, 4), 0};
    return (struct field_words){field_load(name, 2), field_load(name + len - 2, 2), 0};
}

static inline size_t field_slot(struct field_words words)
{
    uint64_t mixed = (words.first | FIELD_FOLD) + 2 * (words.last | FIELD_FOLD);
    return (mixed * FIELD_HASH) >> (64 - FIELD_SLOT_BITS);
}

static inline enum field_id field_identify_inline(const char *name, size_t len)
{
    if (len < 2)
        return FIELD_OTHER;
    struct field_words words = field_words_of(name, len);
    uint8_t id = field_slots[field_slot(words)];
    const struct field_entry *entry = &field_entries[id];
    if (entry->len != len)
        return FIELD_OTHER;
    uint64_t differs = ((words.first ^ entry->name.first) & entry->mask.first) |
                       ((words.last ^ entry->name.last) & entry->mask.last);
    if (len > 16)
        differs |= (field_load(name + 8, 8) ^ entry->name.middle) & entry->mask.middle;
    return differs == 0 ? (enum field_id)id : FIELD_OTHER;
}

#endif
