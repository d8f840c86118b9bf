/* PROXY protocol headers, whole and in pieces. */
#include "test.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "proto/proxyproto/proxyproto.h"

/* In memory of its own size, so that a byte too many is seen; what the header points to lies in `bytes` again. */
static enum status parse_exact(struct str bytes, struct proxyproto *header, size_t *length)
{
    char *copy = malloc(bytes.len + (bytes.len == 0));
    memcpy(copy, bytes.data, bytes.len);
    enum status status = proxyproto_parse(str_of(copy, bytes.len), header, length);
    if (status == STATUS_OK && header->tlvs.len != 0)
        header->tlvs.data = bytes.data + (header->tlvs.data - copy);
    free(copy);
    return status;
}

/* Every prefix must ask for more until the status is there, and it stays. */
static enum status parse(struct str bytes, struct proxyproto *header, size_t *length)
{
    enum status whole = parse_exact(bytes, header, length);
    enum status status = STATUS_AGAIN;
    for (size_t len = 0; len <= bytes.len && status == STATUS_AGAIN; len++) {
        size_t piece_length = 0;
        struct proxyproto piece;
        status = parse_exact(str_first(bytes, len), &piece, &piece_length);
        if (status == STATUS_OK)
            assert_int_equal(piece_length, *length);
    }
    assert_int_equal(status, whole);
    return whole;
}

static void check_address(const struct sockaddr_storage *storage, const char *address, uint16_t port)
{
    char text[INET6_ADDRSTRLEN];
    if (storage->ss_family == AF_INET) {
        struct sockaddr_in inet;
        memcpy(&inet, storage, sizeof(inet));
        inet_ntop(AF_INET, &inet.sin_addr, text, sizeof(text));
        assert_int_equal(ntohs(inet.sin_port), port);
    } else {
        struct sockaddr_in6 inet6;
        assert_int_equal(storage->ss_family, AF_INET6);
        memcpy(&inet6, storage, sizeof(inet6));
        inet_ntop(AF_INET6, &inet6.sin6_addr, text, sizeof(text));
        assert_int_equal(ntohs(inet6.sin6_port), port);
    }
    assert_string_equal(text, address);
}

TEST(version_1_gives_both_addresses)
{
    struct proxyproto header;
    size_t length;
    assert_int_equal(parse(S("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nGET /"), &header, &length),
                     STATUS_OK);
    assert_int_equal(length, 42);
    assert_false(header.local);
    check_address(&header.source, "192.0.2.1", 56324);
    check_address(&header.destination, "192.0.2.2", 443);

    assert_int_equal(parse(S("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n"), &header, &length), STATUS_OK);
    check_address(&header.source, "2001:db8::1", 0);
    check_address(&header.destination, "::1", 65535);

    assert_int_equal(parse(S("PROXY UNKNOWN\r\n"), &header, &length), STATUS_OK);
    assert_true(header.local);
    assert_int_equal(parse(S("PROXY UNKNOWN any thing here\r\n"), &header, &length), STATUS_OK);
    assert_true(header.local);
    assert_int_equal(header.source.ss_family, AF_UNSPEC);
}

TEST(malformed_version_1_is_refused)
{
    static const char *const texts[] = {
        "GET / HTTP/1.1\r\n\r\n",
        "PROXY\r\n",
        "proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY  TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n",
        "PROXY TCP4 1.1.1.256 2.2.2.2 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\rx",
        "PROXY UNKNOWN aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaa\r\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct proxyproto header;
        size_t length;
        if (parse(str_from(texts[i]), &header, &length) != STATUS_BAD_PROXY_HEADER)
            fail_msg("%s was not refused", texts[i]);
    }
}

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

TEST(version_2_gives_both_addresses)
{
    struct proxyproto header;
    size_t length;
    assert_int_equal(parse(S(SIGNATURE "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb"
                                       "GET /"),
                           &header, &length),
                     STATUS_OK);
    assert_int_equal(length, 28);
    assert_false(header.local);
    check_address(&header.source, "192.0.2.1", 56324);
    check_address(&header.destination, "192.0.2.2", 443);

    assert_int_equal(parse(S(SIGNATURE "\x21\x21\x00\x27\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
                                       "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x50\x01\xbb\x04\x00\x00"),
                           &header, &length),
                     STATUS_OK);
    assert_int_equal(length, 16 + 39);
    check_address(&header.source, "2001:db8::1", 80);
    check_address(&header.destination, "::1", 443);
}

TEST(version_2_without_addresses_keeps_the_connections_own)
{
    struct proxyproto header;
    size_t length;
    assert_int_equal(parse(S(SIGNATURE "\x20\x00\x00\x00"), &header, &length), STATUS_OK);
    assert_true(header.local);
    assert_int_equal(length, 16);
    assert_int_equal(parse(S(SIGNATURE "\x21\x00\x00\x02zz"), &header, &length), STATUS_OK);
    assert_false(header.local);
    assert_int_equal(header.source.ss_family, AF_UNSPEC);
    assert_int_equal(length, 18);
}

TEST(malformed_version_2_is_refused)
{
    static const struct str texts[] = {
        STR(SIGNATURE "\x11\x11\x00\x0c" "aaaabbbbccdd"),
        STR(SIGNATURE "\x22\x11\x00\x0c" "aaaabbbbccdd"),
        STR(SIGNATURE "\x21\x11\x00\x0b" "aaaabbbbccd"),
        STR(SIGNATURE "\x21\x21\x00\x0c" "aaaabbbbccdd"),
        STR(SIGNATURE "\x21\x31\x00\x0c" "aaaabbbbccdd"),
        STR(SIGNATURE "\x21\x11\x20\x00" "aaaabbbbccdd"),
        STR("\r\n\r\n\0\r\nQUIX\n\x21\x11\x00\x0c" "aaaabbbbccdd"),
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct proxyproto header;
        size_t length;
        assert_int_equal(parse(texts[i], &header, &length), STATUS_BAD_PROXY_HEADER);
    }
}

TEST(unknown_families_and_transports_keep_the_connections_own_addresses)
{
    static const struct str texts[] = {
        STR(SIGNATURE "\x21\x41\x00\x04" "aaaa"),
        STR(SIGNATURE "\x21\x13\x00\x0c" "aaaabbbbccdd"),
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct proxyproto header;
        size_t length;
        assert_int_equal(parse(texts[i], &header, &length), STATUS_OK);
        assert_true(header.local);
        assert_int_equal(length, texts[i].len);
        assert_int_equal(header.tlvs.len, 0);
    }
}

TEST(what_stands_behind_addresses_is_found_by_its_type)
{
    struct proxyproto header;
    size_t length;
    static const struct str text = STR(SIGNATURE "\x21\x11\x00\x18" "aaaabbbbccdd" "\x01\x00\x02h2" "\xae\x00\x01x" "\x05\x00\x00");
    assert_int_equal(parse(text, &header, &length), STATUS_OK);
    assert_int_equal(header.tlvs.len, 12);
    assert_true(str_equal(proxyproto_tlv(header.tlvs, 1), S("h2")));
    assert_true(str_equal(proxyproto_tlv(header.tlvs, 0xae), S("x")));
    assert_non_null(proxyproto_tlv(header.tlvs, 5).data);
    assert_int_equal(proxyproto_tlv(header.tlvs, 5).len, 0);
    assert_null(proxyproto_tlv(header.tlvs, 2).data);
    /* The second one is broken off, so only the first counts. */
    assert_true(str_equal(proxyproto_tlv(str_first(header.tlvs, 8), 1), S("h2")));
    assert_null(proxyproto_tlv(str_first(header.tlvs, 8), 0xae).data);
}

TEST(what_cannot_become_a_header_is_seen_at_its_first_strange_byte)
{
    assert_true(proxyproto_may_begin(S("P")));
    assert_true(proxyproto_may_begin(S("PROXY TCP4 ")));
    assert_true(proxyproto_may_begin(S("\r\n\r\n")));
    assert_false(proxyproto_may_begin(S("PO")));
    assert_false(proxyproto_may_begin(S("GET / HTTP/1.1\r\n")));
    assert_false(proxyproto_may_begin(S("\r\nGET")));
}
