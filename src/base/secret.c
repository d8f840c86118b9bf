#include "base/secret.h"

bool secret_equal(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    /* volatile: an early way out of the loop is what the compiler must not find */
    volatile unsigned char difference = 0;
    for (size_t i = 0; i < a.len; i++)
        difference = (unsigned char)(difference | (a.data[i] ^ b.data[i]));
    return difference == 0;
}

void secret_wipe(void *memory, size_t size)
{
    if (size != 0)
        explicit_bzero(memory, size);
}
