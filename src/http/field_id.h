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

/* What one slot of the hash holds: a lower-case name as up to three words; FIELD_OTHER and len 0 when nothing. */
struct field_slot {
    uint64_t first, last, middle;
    uint32_t len;
    uint32_t id;
};

/* "Content-Length: ", padded so that it can be copied as three words. */
struct field_prefix {
    char text[FIELD_NAME_MAX + 2];
    uint8_t name_len;
};

extern struct field_slot field_slots[1 << FIELD_SLOT_BITS];
extern struct field_prefix field_prefixes[FIELD_COUNT];

static inline uint64_t field_load(const char *at, size_t size)
{
    uint64_t word = 0;
    memcpy(&word, at, size);
    return word;
}

/* The first and the last eight bytes (or four, or two) of a name of at least two, in lower case. */
static inline void field_words(const char *name, size_t len, uint64_t *ret_first, uint64_t *ret_last)
{
    size_t size = len >= 8 ? 8 : len >= 4 ? 4 : 2;
    if (size == 8) {
        *ret_first = field_load(name, 8);
        *ret_last = field_load(name + len - 8, 8);
    } else if (size == 4) {
        *ret_first = field_load(name, 4);
        *ret_last = field_load(name + len - 4, 4);
    } else {
        *ret_first = field_load(name, 2);
        *ret_last = field_load(name + len - 2, 2);
    }
    *ret_first |= FIELD_FOLD;
    *ret_last |= FIELD_FOLD;
}

static inline struct field_slot *field_slot_of(uint64_t first, uint64_t last)
{
    return &field_slots[((first + 2 * last) * FIELD_HASH) >> (64 - FIELD_SLOT_BITS)];
}

/* For a name without controls: folding takes CR for "-", and nothing else for what it is not. */
static inline enum field_id field_identify_clean(const char *name, size_t len)
{
    uint64_t first, last;
    if (len < 2)
        return FIELD_OTHER;
    field_words(name, len, &first, &last);
    const struct field_slot *slot = field_slot_of(first, last);
    if (slot->first != first || slot->last != last || slot->len != len)
        return FIELD_OTHER;
    if (len > 16 && (field_load(name + 8, 8) | FIELD_FOLD) != slot->middle)
        return FIELD_OTHER;
    return (enum field_id)slot->id;
}

/* For any bytes. */
static inline enum field_id field_identify_inline(const char *name, size_t len)
{
    enum field_id id = field_identify_clean(name, len);
    return id != FIELD_OTHER && memchr(name, '\r', len) != NULL ? FIELD_OTHER : id;
}

#endif
