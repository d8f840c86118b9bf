#include "net/curl.h"

#include "test.h"

TEST(curl_is_loaded_once_for_all)
{
    assert_null(curl_load());
    assert_null(curl_load());
    assert_true(curl_version_info(CURLVERSION_NOW)->version_num >= 0x075300);
}

/* Values of each type arrive: what is set wrongly libcurl refuses, and what is set can be asked for. */
TEST(options_of_all_types_reach_the_library)
{
    assert_null(curl_load());
    CURL *easy = curl_easy_init();
    char here, *there = NULL;
    assert_non_null(easy);
    assert_int_equal(curl_easy_setopt(easy, CURLOPT_PRIVATE, &here), CURLE_OK);
    assert_int_equal(curl_easy_getinfo(easy, CURLINFO_PRIVATE, &there), CURLE_OK);
    assert_ptr_equal(there, &here);
    assert_int_equal(curl_easy_setopt(easy, CURLOPT_PORT, 65535L), CURLE_OK);
    assert_int_equal(curl_easy_setopt(easy, CURLOPT_PORT, 65536L), CURLE_BAD_FUNCTION_ARGUMENT);
    assert_int_equal(curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)1 << 40), CURLE_OK);
    assert_int_equal(curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-2), CURLE_BAD_FUNCTION_ARGUMENT);
    assert_int_equal(curl_easy_setopt(easy, CURLOPT_URL, "file:///dev/null"), CURLE_OK);
    assert_int_equal(curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http"), CURLE_OK);
    curl_easy_cleanup(easy);
}

TEST(options_of_a_multi_handle_reach_the_library)
{
    assert_null(curl_load());
    CURLM *multi = curl_multi_init();
    assert_non_null(multi);
    assert_int_equal(curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, 7L), CURLM_OK);
    assert_int_equal(curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, &multi), CURLM_OK);
    assert_int_equal(curl_multi_cleanup(multi), CURLM_OK);
}
