/* Eight bytes at a time in an ordinary register: unaligned loads and ASCII folding. Header-only. */
#ifndef BASE_SWAR_H
#define BASE_SWAR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define SWAR_ONES UINT64_C(0x0101010101010101)

static inline uint64_t swar_load64(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return word;
}

static inline uint64_t swar_load32(const char *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof(word));
    return word;
}

/* Every byte 'A' to 'Z' in lower case, all others unchanged. */
static inline uint64_t swar_lower(uint64_t word)
{
    /* Adding to the low seven bits carries into a byte's top bit, never into its neighbour. */
    uint64_t low = word & (SWAR_ONES * 0x7f);
    uint64_t from_a = low + SWAR_ONES * (0x80 - 'A');
    uint64_t beyond_z = low + SWAR_ONES * (0x7f - 'Z');
    uint64_t upper = (from_a ^ beyond_z) & ~word & (SWAR_ONES * 0x80);
    return word | upper >> 2;
}

/* Every byte is printable ASCII and neither '"' nor '\\': what stands in quotes as it is. */
static inline bool swar_plain(uint64_t word)
{
    const uint64_t top = SWAR_ONES * 0x80;
    uint64_t quote = word ^ SWAR_ONES * '"', backslash = word ^ SWAR_ONES * '\\';
    /* A borrow into the next byte can only come from a byte that is a hit itself. */
    uint64_t hits = word | (word + SWAR_ONES) | (word - SWAR_ONES * 0x20) | (quote - SWAR_ONES) | (backslash - SWAR_ONES);
    return (hits & top) == 0;
}

#endif
