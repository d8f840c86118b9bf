#include "base/digits.h"

const char digit_pairs[201] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                              "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                              "8081828384858687888990919293949596979899";

char *digits_put_long(char *out, uint64_t value)
{
    char digits[DIGITS_MAX + 1];      /* 20 digits are ten pairs, but a compiler cannot see that no single one is before them */
    size_t at = sizeof(digits);
    for (; value >= 10; value /= 100)
        memcpy(digits + (at -= 2), digit_pairs + value % 100 * 2, 2);
    if (value != 0)
        digits[--at] = (char)('0' + value);
    memcpy(out, digits + at, sizeof(digits) - at);
    return out + (sizeof(digits) - at);
}
