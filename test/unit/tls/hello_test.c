#include "tls/hello.h"

#include "base/file.h"
#include "test.h"

/* A ClientHello that a client really sent. */
static struct str sent(struct arena *arena, const char *name)
{
    struct str bytes;
    arena_init(arena, ARENA_UNLIMITED);
    struct str path = arena_printf(arena, "test/fuzz/corpus/client_hello/%s", name);
    assert_true(file_read(arena, path.data, 1 << 20, &bytes));
    return bytes;
}

static enum status parse(const char *name, struct hello *ret_hello)
{
    struct arena arena;
    enum status status = hello_parse(sent(&arena, name), ret_hello);
    arena_release(&arena);
    return status;
}

TEST(hello_of_a_modern_client_names_the_host_in_lower_case_and_offers_all)
{
    struct hello hello;
    assert_int_equal(parse("openssl_tls13", &hello), STATUS_OK);
    assert_str_equal(hello_name(&hello), S("app.example.com"));
    assert_true(hello.tls13 && hello.rsa && hello.ecdsa && hello.ed25519);
    assert_true(hello.alpn && hello.h2 && hello.http1);
    assert_false(hello.acme);
}

TEST(hello_without_a_name_or_with_an_address_has_an_empty_one)
{
    struct hello hello;
    assert_int_equal(parse("openssl_no_name", &hello), STATUS_OK);
    assert_str_equal(hello_name(&hello), S(""));
    assert_false(hello.alpn);
    assert_int_equal(parse("curl_address", &hello), STATUS_OK);
    assert_str_equal(hello_name(&hello), S(""));
}

TEST(hello_of_tls12_verifies_what_its_suites_name)
{
    struct hello hello;
    assert_int_equal(parse("openssl_tls12", &hello), STATUS_OK);
    assert_true(!hello.tls13 && hello.rsa && hello.ecdsa);
    assert_int_equal(parse("openssl_tls12_rsa", &hello), STATUS_OK);
    assert_true(hello.rsa);
    assert_false(hello.ecdsa || hello.ed25519);
}

TEST(hello_without_extensions_verifies_rsa)
{
    struct hello hello;
    assert_int_equal(parse("no_extensions", &hello), STATUS_OK);
    assert_true(hello.rsa);
    assert_false(hello.tls13 || hello.ed25519 || hello.alpn);
}

TEST(hello_with_ed25519_alone_verifies_nothing_else)
{
    struct hello hello;
    assert_int_equal(parse("openssl_ed25519", &hello), STATUS_OK);
    assert_true(hello.ed25519);
    assert_false(hello.rsa || hello.ecdsa);
}

TEST(hello_of_an_acme_server_is_known_by_its_protocol)
{
    struct hello hello;
    assert_int_equal(parse("openssl_acme", &hello), STATUS_OK);
    assert_true(hello.acme && hello.alpn);
    assert_false(hello.h2 || hello.http1);
}

TEST(hello_loses_the_dot_behind_its_name)
{
    struct hello hello;
    assert_int_equal(parse("openssl_trailing_dot", &hello), STATUS_OK);
    assert_str_equal(hello_name(&hello), S("a.example"));
}

TEST(hello_in_many_records_reads_like_one_in_a_single_record)
{
    struct hello whole, pieces;
    assert_int_equal(parse("openssl_tls13", &whole), STATUS_OK);
    static const char *const names[] = {"fragmented", "fragmented_single_bytes"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(parse(names[i], &pieces), STATUS_OK);
        assert_str_equal(hello_name(&pieces), hello_name(&whole));
        assert_true(pieces.h2 && pieces.tls13 && pieces.rsa && pieces.ecdsa);
    }
}

TEST(hello_that_is_cut_off_asks_for_more_at_every_byte)
{
    static const char *const names[] = {"curl", "fragmented", "python"};
    for (size_t i = 0; i < 3; i++) {
        struct arena arena;
        struct hello hello;
        struct str bytes = sent(&arena, names[i]);
        for (size_t length = 0; length < bytes.len; length++)
            assert_int_equal(hello_parse(str_first(bytes, length), &hello), STATUS_AGAIN);
        assert_int_equal(hello_parse(bytes, &hello), STATUS_OK);
        arena_release(&arena);
    }
}

TEST(hello_that_is_something_else_is_refused_at_its_first_byte)
{
    struct hello hello;
    assert_int_equal(hello_parse(S("G"), &hello), STATUS_BAD_REQUEST);
    assert_int_equal(parse("alert", &hello), STATUS_BAD_REQUEST);
    assert_int_equal(hello_parse(str_of("\x16\x03\x01\x00\x00", 5), &hello), STATUS_BAD_REQUEST);
    assert_int_equal(hello_parse(str_of("\x16\x03\x01\x00\x04\x02", 6), &hello), STATUS_BAD_REQUEST);
}

TEST(hello_longer_than_the_limit_is_refused_once_its_length_is_there)
{
    struct hello hello;
    assert_int_equal(parse("too_long", &hello), STATUS_BAD_REQUEST);
    static char records[HELLO_BYTES_MAX + 6];
    /* A message of 16,000 bytes in records of one byte each never ends within the limit. */
    for (size_t at = 0; at + 6 <= sizeof(records); at += 6)
        memcpy(records + at, "\x16\x03\x01\x00\x01", 5);
    records[5] = 1;
    records[17] = 0x3e;
    assert_int_equal(hello_parse(str_of(records, HELLO_BYTES_MAX - 1), &hello), STATUS_AGAIN);
    assert_int_equal(hello_parse(str_of(records, HELLO_BYTES_MAX), &hello), STATUS_BAD_REQUEST);
}

/* The bytes of the name in a copy of a hello, replaced. */
static enum status parse_with_name(const char *replacement, struct hello *ret_hello)
{
    struct arena arena;
    struct str bytes = sent(&arena, "openssl_tls13");
    ptrdiff_t at = str_find(bytes, S("App.Example.com"));
    assert_true(at > 0);
    char *copy = arena_alloc(&arena, bytes.len);
    memcpy(copy, bytes.data, bytes.len);
    memcpy(copy + at, replacement, 15);
    enum status status = hello_parse(str_of(copy, bytes.len), ret_hello);
    arena_release(&arena);
    return status;
}

TEST(hello_with_a_name_that_no_host_can_have_is_refused)
{
    struct hello hello;
    assert_int_equal(parse_with_name("app_1.EXAMPLE.co", &hello), STATUS_OK);
    assert_int_equal(parse_with_name("*pp.example.com", &hello), STATUS_BAD_REQUEST);
    assert_int_equal(parse_with_name("app\0example.com", &hello), STATUS_BAD_REQUEST);
    assert_int_equal(parse_with_name("app\nexample.com", &hello), STATUS_BAD_REQUEST);
    assert_int_equal(parse_with_name("\xc3\xbc-example.com", &hello), STATUS_BAD_REQUEST);
}
