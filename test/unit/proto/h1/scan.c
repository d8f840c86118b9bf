/* The scanners against plain definitions, for every byte at every place. */
#include "test.h"

#include "proto/h1/scan.h"

static bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

static bool is_letter_or_digit(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

TEST(scanners_find_the_bytes_that_they_say)
{
    for (unsigned value = 0; value < 256; value++) {
        unsigned char c = (unsigned char)value;
        for (unsigned place = 0; place < 64; place++) {
            char bytes[64], copy[16];
            memset(bytes, 'a', sizeof(bytes));
            bytes[place] = (char)c;
            assert_int_equal(scan_controls64(bytes), (uint64_t)(is_control(c) || c >= 0x80) << place);
            if (place >= 16)
                continue;
            bool target_stop = c <= 0x20 || c >= 0x7f || strchr("\"#%<>?\\", c) != NULL;
            bool odd = !is_letter_or_digit(c) && c != '-' && c != '_';
            bool no_host = (!is_letter_or_digit(c) && c != '-' && c != '.') || (c >= 'A' && c <= 'Z');
            assert_int_equal(scan_colons16(bytes), (uint32_t)(c == ':') << place);
            assert_int_equal(scan_odd16(bytes), (uint32_t)odd << place);
            assert_int_equal(scan_host16(bytes), (uint32_t)no_host << place);
            assert_int_equal(scan_target16(bytes), (uint32_t)target_stop << place);
            assert_int_equal(scan_copy16(copy, bytes), !is_control(c));
            assert_memory_equal(copy, bytes, 16);
        }
    }
}
