/* Numbers as decimal digits, two at a time. For where text is written behind a pointer, into room that was made before. */
#ifndef BASE_DIGITS_H
#define BASE_DIGITS_H

#include <stdint.h>
#include <string.h>

#define DIGITS_MAX 20          /* of a 64-bit number */

/* "00" to "99", one behind the other. */
extern const char digit_pairs[201];

/* What has more than three digits. */
char *digits_put_long(char *out, uint64_t value);

/* Where the digits end. */
static inline char *digits_put(char *out, uint64_t value)
{
    if (value >= 1000)
        return digits_put_long(out, value);
    if (value >= 100) {
        *out++ = (char)('0' + value / 100);
        value %= 100;
    } else if (value < 10) {
        *out = (char)('0' + value);
        return out + 1;
    }
    memcpy(out, digit_pairs + value * 2, 2);
    return out + 2;
}

#endif
