/* The kernel's door on x86-64, without the shuffling of arguments that syscall(2) is: for call.h. */
#ifndef NET_CALL_X86_64_H
#define NET_CALL_X86_64_H

#include <errno.h>

static inline long call_kernel(long number, long a, long b, long c, long d, long e, long f)
{
    register long fourth __asm__("r10") = d;
    register long fifth __asm__("r8") = e;
    register long sixth __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth), "r"(sixth)
                     : "rcx", "r11", "memory");
    if (__builtin_expect((unsigned long)result > -4096UL, 0)) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

#endif
