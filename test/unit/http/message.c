/* Methods and status codes. */
#include "test.h"

#include "http/message.h"

TEST(methods_are_identified_with_their_case)
{
#define X(name) \
    assert_int_equal(method_identify(S(#name)), METHOD_##name); \
    assert_str_equal(method_text(METHOD_##name), S(#name));
    METHOD_TABLE(X)
#undef X
    static const char *const others[] = {"", "GE", "get", "GETS", "Post", "PURGE", "PATC", "BREW", "P", "HEA"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(method_identify(str_from(others[i])), METHOD_OTHER);
}

TEST(safe_and_idempotent_methods_are_those_of_the_standard)
{
    static const struct {
        enum method method;
        bool safe, idempotent;
    } table[] = {{METHOD_GET, true, true},     {METHOD_HEAD, true, true},    {METHOD_OPTIONS, true, true},
                 {METHOD_TRACE, true, true},   {METHOD_PUT, false, true},    {METHOD_DELETE, false, true},
                 {METHOD_POST, false, false},  {METHOD_PATCH, false, false}, {METHOD_CONNECT, false, false},
                 {METHOD_OTHER, false, false}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(method_is_safe(table[i].method), table[i].safe);
        assert_int_equal(method_is_idempotent(table[i].method), table[i].idempotent);
    }
}

TEST(unknown_codes_have_no_reason)
{
    assert_str_equal(http_reason(404), S("Not Found"));
    assert_str_equal(http_reason(431), S("Request Header Fields Too Large"));
    assert_str_equal(http_reason(599), S(""));
    assert_str_equal(http_reason(600), S(""));
    assert_str_equal(http_reason(-1), S(""));
}

TEST(a_known_code_has_words_for_a_page_and_for_a_status_line)
{
    assert_str_equal(http_status_page(429), S("429 Too Many Requests\n"));
    assert_str_equal(http_status_words(429), S("429 Too Many Requests"));
    assert_int_equal(http_status_page(599).len, 0);
    assert_int_equal(http_status_words(1000).len, 0);
}
