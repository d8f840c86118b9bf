/* Eight bytes at a time in an ordinary register: unaligned loads and ASCII folding. Header-only. */
#ifndef BASE_SWAR_H
#define BASE_SWAR_H

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

#endif
