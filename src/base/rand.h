/* Randomness. rand_u64 is fast and per thread (xoshiro256**, seeded from the kernel): for balancing and
 * jitter, never for secrets. rand_bytes is the kernel's: for keys, ids and cookies. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

uint64_t rand_u64(void);
/* Two at the price of one, for what need only be unique: they come of the same state. */
void rand_pair(uint64_t ret_pair[2]);
/* 0 <= x < bound, bound > 0, without bias worth naming. */
uint32_t rand_below(uint32_t bound);
void rand_bytes(void *out, size_t len);

#endif
