/* Tells AddressSanitizer which pooled memory is nobody's at the moment, so that touching a chunk after it
 * went back to its pool is reported like a use after free. Without the sanitizer these are nothing. */
#ifndef BASE_POISON_H
#define BASE_POISON_H

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON_ACTIVE 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define POISON_ACTIVE 1
#endif

#ifdef POISON_ACTIVE
void __asan_poison_memory_region(void const volatile *memory, size_t size);
void __asan_unpoison_memory_region(void const volatile *memory, size_t size);
#define poison_add(memory, size) __asan_poison_memory_region((memory), (size))
#define poison_remove(memory, size) __asan_unpoison_memory_region((memory), (size))
#else
#define poison_add(memory, size) ((void)(memory), (void)(size))
#define poison_remove(memory, size) ((void)(memory), (void)(size))
#endif

#endif
