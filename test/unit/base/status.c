#include "base/status.h"

#include "test.h"

TEST(status_reasons_are_lower_case_words_and_differ)
{
    for (int i = 0; i < STATUS_COUNT; i++) {
        struct str reason = str_from(status_reason((enum status)i));
        assert_true(reason.len > 1);
        for (size_t j = 0; j < reason.len; j++)
            assert_true((reason.data[j] >= 'a' && reason.data[j] <= 'z') || ascii_digit(reason.data[j]) ||
                        reason.data[j] == '_');
        for (int other = 0; other < i; other++)
            assert_string_not_equal(reason.data, status_reason((enum status)other));
        assert_true(strlen(status_text((enum status)i)) > 3);
    }
}

TEST(status_table_is_read_in_step)
{
    assert_string_equal(status_reason(STATUS_UPSTREAM_REFUSED), "upstream_refused");
    assert_string_equal(status_text(STATUS_UPSTREAM_REFUSED), "the server refused the connection");
    assert_int_equal(status_http(STATUS_UPSTREAM_REFUSED), 502);
    assert_int_equal(status_http(STATUS_OK), 0);
    assert_int_equal(status_http(STATUS_INTERNAL), 500);
}
