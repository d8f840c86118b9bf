/* Owns one fast generator per thread and the way to the kernel's randomness. */
#include "base/rand.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>

/* xoshiro256** (Blackman, Vigna 2018). */
struct generator {
    uint64_t state[4];
    bool seeded;
};

static _Thread_local struct generator generator;

static uint64_t rotate_left(uint64_t value, unsigned bits)
{
    return (value << bits) | (value >> (64 - bits));
}

static __attribute__((noinline, cold)) void seed(struct generator *g)
{
    rand_bytes(g->state, sizeof(g->state));
    g->state[0] |= 1; /* all zero would stay zero */
    g->seeded = true;
}

static inline void step(uint64_t *s)
{
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
}

static inline uint64_t *seeded_state(void)
{
    struct generator *g = &generator;
    if (!g->seeded)
        seed(g);
    return g->state;
}

uint64_t rand_u64(void)
{
    uint64_t *s = seeded_state();
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    step(s);
    return result;
}

/* The scramblers ** and ++ of the same generator. */
void rand_pair(uint64_t ret_pair[2])
{
    uint64_t *s = seeded_state();
    ret_pair[0] = rotate_left(s[1] * 5, 7) * 9;
    ret_pair[1] = rotate_left(s[0] + s[3], 23) + s[0];
    step(s);
}

/* The high half of a product: its bias is at most bound / 2^32. */
uint32_t rand_below(uint32_t bound)
{
    return (uint32_t)(((rand_u64() >> 32) * bound) >> 32);
}

void rand_bytes(void *out, size_t len)
{
    char *at = out;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno != EINTR)
            abort(); /* keys must never be made of anything else */
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}
