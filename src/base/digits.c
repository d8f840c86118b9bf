#include "base/digits.h"

const char digit_pairs[201] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                              "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                              "8081828384858687888990919293949596979899";

/* Its powers of ten; none of 0 digits. */
static const uint64_t powers[DIGITS_MAX] = {
    0,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
    10000000000000000,
    100000000000000000,
    1000000000000000000,
    UINT64_C(10000000000000000000),
};

/* Of what is not 0. 1233 / 4096 is a bit more than the logarithm of 2 to the base of 10: at most one digit too many. */
static unsigned count_digits(uint64_t value)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(value), guess = bits * 1233 >> 12;
    return guess + (value >= powers[guess]);
}

char *digits_put_long(char *out, uint64_t value)
{
    char *end = out + count_digits(value), *at = end;
    for (; value >= 100; value /= 100)
        memcpy(at -= 2, digit_pairs + value % 100 * 2, 2);
    if (value >= 10)
        memcpy(out, digit_pairs + value * 2, 2);
    else
        *out = (char)('0' + value);
    return end;
}
