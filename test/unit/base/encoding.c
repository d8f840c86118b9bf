#include "base/base64.h"
#include "base/hex.h"
#include "base/rand.h"
#include "base/secret.h"
#include "test.h"

TEST(hex_goes_there_and_back)
{
    char text[8], bytes[4];
    assert_int_equal(hex_encode(S("\x00\x7f\xff\xa5"), text), 8);
    assert_memory_equal(text, "007fffa5", 8);
    assert_true(hex_decode(S("007FFFa5"), bytes));
    assert_memory_equal(bytes, "\x00\x7f\xff\xa5", 4);
    assert_true(hex_decode(STR_NONE, bytes));
    assert_false(hex_decode(S("123"), bytes));
    assert_false(hex_decode(S("1g"), bytes));
    assert_false(hex_decode(S("g1"), bytes));
}

/* RFC 4648 10 */
TEST(base64_encodes_the_vectors_of_the_standard)
{
    static const struct str plain[] = {STR(""),     STR("f"),     STR("fo"),    STR("foo"),
                                       STR("foob"), STR("fooba"), STR("foobar")};
    static const struct str standard[] = {STR(""),        STR("Zg=="),     STR("Zm8="),
                                          STR("Zm9v"),    STR("Zm9vYg=="), STR("Zm9vYmE="),
                                          STR("Zm9vYmFy")};
    static const struct str url[] = {STR(""),       STR("Zg"),      STR("Zm8"),     STR("Zm9v"),
                                     STR("Zm9vYg"), STR("Zm9vYmE"), STR("Zm9vYmFy")};
    for (size_t i = 0; i < 7; i++) {
        char out[16];
        size_t len = base64_encode(BASE64_STANDARD, plain[i], out);
        assert_int_equal(len, BASE64_ENCODED_SIZE(plain[i].len));
        assert_str_equal(str_of(out, len), standard[i]);
        len = base64_encode(BASE64_URL, plain[i], out);
        assert_str_equal(str_of(out, len), url[i]);
    }
}

TEST(base64_decodes_what_it_encodes_with_padding_and_without)
{
    for (size_t size = 0; size < 100; size++) {
        char bytes[100], text[BASE64_ENCODED_SIZE(100)], back[BASE64_DECODED_SIZE(sizeof(text))];
        rand_bytes(bytes, size);
        for (int alphabet = 0; alphabet < 2; alphabet++) {
            size_t len = base64_encode((enum base64_alphabet)alphabet, str_of(bytes, size), text);
            size_t got = 0;
            assert_true(
                base64_decode((enum base64_alphabet)alphabet, str_of(text, len), back, &got));
            assert_int_equal(got, size);
            assert_memory_equal(back, bytes, size);
            while (len != 0 && text[len - 1] == '=')
                len--;
            assert_true(
                base64_decode((enum base64_alphabet)alphabet, str_of(text, len), back, &got));
            assert_int_equal(got, size);
        }
    }
}

TEST(base64_alphabets_are_not_mixed)
{
    char out[8];
    size_t len;
    assert_true(base64_decode(BASE64_STANDARD, S("+/+/"), out, &len));
    assert_true(base64_decode(BASE64_URL, S("-_-_"), out, &len));
    assert_false(base64_decode(BASE64_STANDARD, S("-_-_"), out, &len));
    assert_false(base64_decode(BASE64_URL, S("+/+/"), out, &len));
}

TEST(base64_refuses_half_padding_stray_bits_and_white_space)
{
    static const struct str bad[] = {STR("Z"),    STR("Zg="),    STR("Zg==="), STR("="),
                                     STR("===="), STR("Zh=="),   STR("Zm9="),  STR("Zg==Zg=="),
                                     STR("Zm 9"), STR("Zm9v\n"), STR("Z===")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char out[16];
        size_t len;
        if (base64_decode(BASE64_STANDARD, bad[i], out, &len))
            fail_msg("\"%.*s\" is not base64", STR_ARGS(bad[i]));
    }
}

TEST(secret_equal_is_equality)
{
    assert_true(secret_equal(S("token"), S("token")));
    assert_true(secret_equal(STR_NONE, S("")));
    assert_false(secret_equal(S("token"), S("tokem")));
    assert_false(secret_equal(S("token"), S("Token")));
    assert_false(secret_equal(S("token"), S("tokens")));
    assert_false(secret_equal(S("\x80"), S("\x00")));
}

TEST(secret_wipe_leaves_zeros)
{
    char secret[8] = "1234567";
    secret_wipe(secret, 4);
    assert_memory_equal(secret,
                        "\0\0\0\0"
                        "567",
                        8);
}
