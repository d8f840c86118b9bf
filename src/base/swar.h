/* Eight bytes at a time in an ordinary register, and sixteen in a vector of the compiler's: unaligned loads, ASCII folding,
 * looking for bytes of a kind. Header-only. */
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

typedef int8_t swar_bytes __attribute__((vector_size(16)));

/* The same of sixteen bytes. Those beyond ASCII are negative. */
static inline bool swar_plain16(swar_bytes bytes)
{
    uint64_t halves[2];
    swar_bytes hits = (bytes < 0x20) | (bytes == 0x7f) | (bytes == '"') | (bytes == '\\');
    memcpy(halves, &hits, sizeof(halves));
    return (halves[0] | halves[1]) == 0;
}

/* The same while they are copied. */
static inline bool swar_copy_plain16(char *out, const char *at)
{
    swar_bytes bytes;
    memcpy(&bytes, at, sizeof(bytes));
    memcpy(out, &bytes, sizeof(bytes));
    return swar_plain16(bytes);
}

#endif
