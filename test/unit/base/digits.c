#include "base/digits.h"

#include <inttypes.h>
#include <stdio.h>

#include "test.h"

static void assert_digits(uint64_t value)
{
    char out[DIGITS_MAX + 1], expected[DIGITS_MAX + 1];
    *digits_put(out, value) = '\0';
    snprintf(expected, sizeof(expected), "%" PRIu64, value);
    assert_string_equal(out, expected);
}

TEST(digits_are_those_that_printf_writes)
{
    for (uint64_t value = 0; value < 12000; value++)
        assert_digits(value);
    for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10) {
        assert_digits(power - 1);
        assert_digits(power);
        assert_digits(power * 9 + 1);
    }
    assert_digits(UINT64_MAX);
}
