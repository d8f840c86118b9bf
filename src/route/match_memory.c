#include "route/match_memory.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"

#define STRICT_LIMIT 10000
#define GENEROUS_LIMIT 200000
#define HEAP_LIMIT_KIB 1024
#define JIT_STACK_MIN (32 * 1024)
#define JIT_STACK_MAX (256 * 1024)

_Thread_local struct match_memory *match_memory_own;

static pthread_key_t memory_key;
static pthread_once_t memory_once = PTHREAD_ONCE_INIT;

static void free_memory(void *of_thread)
{
    struct match_memory *memory = of_thread;
    pcre2_match_data_free(memory->data);
    pcre2_match_context_free(memory->strict);
    pcre2_match_context_free(memory->generous);
    pcre2_jit_stack_free(memory->stack);
    free(memory);
    match_memory_own = NULL;
}

static void make_memory_key(void)
{
    int failed = pthread_key_create(&memory_key, free_memory);
    assert(failed == 0);
}

static pcre2_match_context *new_context(uint32_t limit, pcre2_jit_stack *stack)
{
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    assert(context != NULL);
    pcre2_set_match_limit(context, limit);
    pcre2_set_depth_limit(context, limit);
    pcre2_set_heap_limit(context, HEAP_LIMIT_KIB);
    pcre2_jit_stack_assign(context, NULL, stack);
    return context;
}

struct match_memory *match_memory_new(void)
{
    pthread_once(&memory_once, make_memory_key);
    struct match_memory *memory = memory_zalloc(sizeof(*memory));
    memory->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
    memory->strict = new_context(STRICT_LIMIT, memory->stack);
    memory->generous = new_context(GENEROUS_LIMIT, memory->stack);
    pthread_setspecific(memory_key, memory);
    match_memory_own = memory;
    return memory;
}

void match_memory_grow(struct match_memory *memory, uint32_t pairs)
{
    pcre2_match_data_free(memory->data);
    memory->data = pcre2_match_data_create(pairs, NULL);
    assert(memory->data != NULL);
    memory->pairs = pairs;
}
