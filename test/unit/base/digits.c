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
    uint64_t power = 1;
    for (unsigned digits = 1; digits <= DIGITS_MAX; digits++, power *= 10) {
        assert_digits(power - 1);
        assert_digits(power);
        assert_digits(power + 1);
        if (digits < DIGITS_MAX)
            assert_digits(power * 9 + 1);
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        assert_digits(UINT64_C(1) << bit);
        assert_digits((UINT64_C(1) << bit) - 1);
    }
    assert_digits(UINT64_MAX);
}
