#include "tls/record.h"

#include "base/hex.h"
#include "test.h"

static struct record_engine engine;

static size_t from_hex(const char *text, uint8_t *out)
{
    size_t len = 0;
    for (; *text != '\0'; text++) {
        if (*text == ' ')
            continue;
        out[len++] = (uint8_t)(ascii_hex(text[0]) << 4 | ascii_hex(text[1]));
        text++;
    }
    return len;
}

/* RFC 8448 3: the client's application data. */
TEST(record_opens_and_seals_what_the_rfc_shows)
{
    uint8_t secret[32], key[16], iv[12], wire[128];
    char out[128];
    from_hex("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5", secret);
    from_hex("17422dda596ed5d9acd890e3c63f5051", key);
    from_hex("5b78923dee08579033e523d9", iv);
    size_t wire_len = from_hex("1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e"
                               "2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4", wire);
    struct record_keys keys = {0};
    assert_true(record_engine_init(&engine));
    assert_true(record_keys_init(&keys, &engine, RECORD_AES_128_GCM, secret, 0));
    assert_memory_equal(keys.key, key, sizeof(key));
    assert_memory_equal(keys.iv, iv, sizeof(iv));
    struct str record = str_of((char *)wire, wire_len);
    enum record_type type;
    enum record_alert alert;
    size_t len = 0;
    assert_int_equal(record_length(record), wire_len);
    assert_true(record_open(&engine, &keys, record, out, &type, &len, &alert));
    assert_int_equal(type, RECORD_DATA);
    assert_int_equal(len, 50);
    for (int i = 0; i < 50; i++)
        assert_int_equal(out[i], i);
    char sealed[128];
    keys.sequence = 0;
    assert_int_equal(record_seal(&engine, &keys, RECORD_DATA, str_of(out, 50), sealed), wire_len);
    assert_memory_equal(sealed, wire, wire_len);
    record_engine_release(&engine);
}

TEST(record_round_trips_with_every_suite_over_updates_of_the_keys)
{
    static char plain[RECORD_BYTES], wire[RECORD_WIRE_MAX], out[RECORD_BYTES + 1];
    assert_true(record_engine_init(&engine));
    memset(plain, 'x', sizeof(plain));
    for (unsigned suite = 0; suite < RECORD_SUITES; suite++) {
        uint8_t secret[RECORD_SECRET_MAX] = {1, 2, (uint8_t)suite};
        struct record_keys writer = {0}, reader = {0};
        assert_true(record_keys_init(&writer, &engine, (enum record_suite)suite, secret, 7));
        assert_true(record_keys_init(&reader, &engine, (enum record_suite)suite, secret, 7));
        for (unsigned i = 0; i < 12; i++) {
            size_t size = i == 0 ? 0 : i == 1 ? RECORD_BYTES : i * 100, len = 0;
            enum record_type type;
            enum record_alert alert;
            size_t sealed = record_seal(&engine, &writer, RECORD_HANDSHAKE, str_of(plain, size), wire);
            assert_int_equal(sealed, size + RECORD_EXTRA);
            assert_true(record_open(&engine, &reader, str_of(wire, sealed), i % 2 ? out : wire + RECORD_HEADER, &type, &len,
                                    &alert));
            assert_int_equal(type, RECORD_HANDSHAKE);
            assert_int_equal(len, size);
            assert_memory_equal(i % 2 ? out : wire + RECORD_HEADER, plain, size);
            if (i % 4 == 3)
                assert_true(record_keys_update(&writer, &engine) && record_keys_update(&reader, &engine));
        }
    }
    record_engine_release(&engine);
}

TEST(record_open_refuses_what_was_changed_or_repeated)
{
    static char wire[200], copy[200], out[200];
    uint8_t secret[RECORD_SECRET_MAX] = {9};
    struct record_keys writer = {0}, reader = {0};
    enum record_type type;
    enum record_alert alert = ALERT_CLOSE_NOTIFY;
    size_t len;
    assert_true(record_engine_init(&engine));
    assert_true(record_keys_init(&writer, &engine, RECORD_CHACHA20_POLY1305, secret, 0));
    assert_true(record_keys_init(&reader, &engine, RECORD_CHACHA20_POLY1305, secret, 0));
    size_t sealed = record_seal(&engine, &writer, RECORD_DATA, S("some bytes"), wire);
    for (size_t at = 0; at < sealed; at++) {
        memcpy(copy, wire, sealed);
        copy[at] ^= 4;
        assert_false(record_open(&engine, &reader, str_of(copy, sealed), out, &type, &len, &alert));
        assert_int_equal(alert, ALERT_BAD_RECORD_MAC);
    }
    assert_true(record_open(&engine, &reader, str_of(wire, sealed), out, &type, &len, &alert));
    assert_false(record_open(&engine, &reader, str_of(wire, sealed), out, &type, &len, &alert));
    record_engine_release(&engine);
}

TEST(record_length_knows_what_may_come)
{
    assert_int_equal(record_length(str_of("\x17\x03\x03\x00", 4)), 0);
    assert_int_equal(record_length(str_of("\x17\x03\x03\x00\x11", 5)), 22);
    assert_int_equal(record_length(str_of("\x17\x03\x03\x00\x10", 5)), SIZE_MAX);
    assert_int_equal(record_length(str_of("\x17\x03\x03\x41\x00", 5)), RECORD_WIRE_MAX);
    assert_int_equal(record_length(str_of("\x17\x03\x03\x41\x01", 5)), SIZE_MAX);
    assert_int_equal(record_length(str_of("\x14\x03\x03\x00\x01", 5)), SIZE_MAX);
    assert_int_equal(record_length(str_of("\x17\x03\x01\x00\x20", 5)), SIZE_MAX);
}
