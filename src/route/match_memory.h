/* What a thread matches regular expressions with: PCRE2's match data and its bounds, for regex.c and captures.c.
 *
 * Ownership: the thread's; made on first use, freed when the thread ends. `strict` bounds are for patterns of whoever may write a
 * label; the owner's own may go further (`generous`): a match that fails still ends within some milliseconds. */
#ifndef ROUTE_MATCH_MEMORY_H
#define ROUTE_MATCH_MEMORY_H

#ifndef PCRE2_CODE_UNIT_WIDTH
#define PCRE2_CODE_UNIT_WIDTH 8
#endif
#include <pcre2.h>
#include <stdint.h>

struct match_memory {
    pcre2_match_data *data;
    pcre2_match_context *strict, *generous;
    pcre2_jit_stack *stack;
    uint32_t pairs;
};

extern _Thread_local struct match_memory *match_memory_own;

struct match_memory *match_memory_new(void);
void match_memory_grow(struct match_memory *memory, uint32_t pairs);

/* The thread's, with room for `pairs` groups, the whole match included. */
static inline struct match_memory *match_memory_with(uint32_t pairs)
{
    struct match_memory *memory = match_memory_own != NULL ? match_memory_own : match_memory_new();
    if (__builtin_expect(memory->pairs < pairs, 0))
        match_memory_grow(memory, pairs);
    return memory;
}

#endif
