/* The seeded hash behind str_hash: 16 bytes a step, each step one 64 x 64 -> 128 bit multiplication whose
 * halves are folded together, as in the wyhash family. All constants are drawn from the kernel before main,
 * so a client cannot prepare colliding keys. It is for tables, not for secrets, and differs from run to run. */
#include "base/rand.h"
#include "base/str.h"
#include "base/swar.h"

static uint64_t seeds[3];

__attribute__((constructor)) static void draw_seeds(void)
{
    rand_bytes(seeds, sizeof(seeds));
}

static inline uint64_t fold_product(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t fold_case(uint64_t word, bool nocase)
{
    return nocase ? swar_lower(word) : word;
}

/* The last 1 to 16 bytes as two words that overlap when they are fewer than 16. */
static inline void load_tail(const char *at, size_t len, uint64_t *ret_a, uint64_t *ret_b)
{
    if (len >= 8) {
        *ret_a = swar_load64(at);
        *ret_b = swar_load64(at + len - 8);
    } else if (len >= 4) {
        *ret_a = swar_load32(at);
        *ret_b = swar_load32(at + len - 4);
    } else if (len > 0) {
        *ret_a = (uint64_t)(unsigned char)at[0] << 16 | (uint64_t)(unsigned char)at[len / 2] << 8 |
                 (unsigned char)at[len - 1];
        *ret_b = 0;
    } else {
        *ret_a = *ret_b = 0;
    }
}

static inline __attribute__((always_inline)) uint64_t hash(struct str s, bool nocase)
{
    const char *at = s.data;
    size_t left = s.len;
    uint64_t state = seeds[0], a, b;
    for (; left > 16; at += 16, left -= 16) {
        a = fold_case(swar_load64(at), nocase);
        b = fold_case(swar_load64(at + 8), nocase);
        state = fold_product(a ^ seeds[1], b ^ state);
    }
    load_tail(at, left, &a, &b);
    state = fold_product(fold_case(a, nocase) ^ seeds[1], fold_case(b, nocase) ^ state);
    return fold_product(state ^ seeds[2], s.len ^ seeds[1]);
}

uint64_t str_hash(struct str s)
{
    return hash(s, false);
}

uint64_t str_hash_nocase(struct str s)
{
    return hash(s, true);
}
