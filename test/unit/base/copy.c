#include "base/copy.h"

#include "test.h"

TEST(copy_short_copies_a_text_of_any_length_and_nothing_beyond)
{
    char from[100], out[104];
    for (size_t i = 0; i < sizeof(from); i++)
        from[i] = (char)('0' + i);
    for (size_t len = 0; len <= sizeof(from); len++) {
        memset(out, 1, sizeof(out));
        assert_ptr_equal(copy_short(out + 2, str_of(from + sizeof(from) - len, len)), out + 2 + len);
        assert_memory_equal(out + 2, from + sizeof(from) - len, len);
        assert_memory_equal(out, "\1\1", 2);
        assert_memory_equal(out + 2 + len, "\1\1", 2);
    }
    assert_ptr_equal(copy_short(out, STR_NONE), out);
}
