/* Chunked bodies, whole and in pieces. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/h1/chunked.h"

struct decoded {
    struct arena arena;
    struct fields trailers;
    char data[256];
    size_t len;           /* of data */
    size_t consumed;
    enum status status;
};

/* Feeds pieces of at most `step` bytes, each in memory of its own. */
static struct decoded decode(struct str text, size_t step)
{
    struct decoded decoded = {.status = STATUS_AGAIN};
    struct h1_chunked decoder;
    arena_init(&decoded.arena, ARENA_UNLIMITED);
    fields_init(&decoded.trailers, &decoded.arena, 0);
    h1_chunked_init(&decoder);
    while (decoded.consumed < text.len) {
        size_t left = text.len - decoded.consumed, len = left < step ? left : step;
        char *piece = malloc(len);
        memcpy(piece, text.data + decoded.consumed, len);
        size_t skip, data;
        decoded.status = h1_chunked_next(&decoder, str_of(piece, len), &decoded.trailers, &skip, &data);
        assert_true(skip + data <= len);
        assert_true(decoded.len + data <= sizeof(decoded.data));
        memcpy(decoded.data + decoded.len, piece + skip, data);
        decoded.len += data;
        decoded.consumed += skip + data;
        free(piece);
        if (decoded.status == STATUS_OK)
            assert_true(data > 0);
        else if (decoded.status == STATUS_AGAIN)
            assert_int_equal(skip, len);
        else
            break;
    }
    return decoded;
}

static void end(struct decoded *decoded)
{
    arena_release(&decoded->arena);
}

TEST(chunks_give_their_data_however_they_are_split)
{
    struct str text = S("5\r\nhello\r\n1;name=value;x=\"a;b\"\r\n \r\n0A \t;ext\r\n0123456789\r\n"
                        "000\r\nX-Sum: abc\r\nEmpty:\r\nContent-Length: 5\r\n\r\nnext");
    for (size_t step = 1; step <= text.len; step++) {
        struct decoded decoded = decode(text, step);
        assert_int_equal(decoded.status, STATUS_END);
        assert_int_equal(decoded.consumed, text.len - 4);
        assert_str_equal(str_of(decoded.data, decoded.len), S("hello 0123456789"));
        assert_int_equal(decoded.trailers.count, 2);
        assert_str_equal(fields_value_name(&decoded.trailers, S("x-sum")), S("abc"));
        assert_str_equal(fields_value_name(&decoded.trailers, S("empty")), S(""));
        end(&decoded);
    }
}

TEST(malformed_chunks_are_refused_however_they_are_split)
{
    static const struct {
        const char *text;
        enum status status;
    } table[] = {
        {"\r\n", STATUS_BAD_CHUNK},
        {"g\r\n", STATUS_BAD_CHUNK},
        {"+5\r\nhello\r\n", STATUS_BAD_CHUNK},
        {"-1\r\n", STATUS_BAD_CHUNK},
        {"0x5\r\nhello\r\n", STATUS_BAD_CHUNK},
        {" 5\r\nhello\r\n", STATUS_BAD_CHUNK},
        {"5 \r\nhello\r\n", STATUS_BAD_CHUNK},
        {"5\nhello\n", STATUS_BAD_CHUNK},
        {"5\rhello", STATUS_BAD_CHUNK},
        {"5\r\rhello", STATUS_BAD_CHUNK},
        {"5;a\nhello", STATUS_BAD_CHUNK},
        {"5;a\rb\r\nhello", STATUS_BAD_CHUNK},
        {"5;\x01\r\nhello", STATUS_BAD_CHUNK},
        {"5 x\r\nhello", STATUS_BAD_CHUNK},
        {"5\r\nhelloX\r\n", STATUS_BAD_CHUNK},
        {"5\r\nhello\n0\r\n\r\n", STATUS_BAD_CHUNK},
        {"5\r\nhello\rX", STATUS_BAD_CHUNK},
        {"1234567890abcdef\r\n", STATUS_BAD_CHUNK},
        {"0000000000000001\r\n", STATUS_BAD_CHUNK},
        {"0\r\nnocolon\r\n\r\n", STATUS_BAD_FIELD},
        {"0\r\nX : y\r\n\r\n", STATUS_BAD_FIELD},
        {"0\r\n X: y\r\n\r\n", STATUS_BAD_FIELD},
        {"0\r\nX: y\r\n z\r\n\r\n", STATUS_BAD_FIELD},
        {"0\r\nX: y\n\r\n", STATUS_BAD_FIELD},
        {"0\r\nX: a\rb\r\n\r\n", STATUS_BAD_FIELD},
        {"0\r\n: y\r\n\r\n", STATUS_BAD_FIELD},
        {"0\r\n\n", STATUS_BAD_FIELD},
        {"0\r\nX: \x7f\r\n\r\n", STATUS_BAD_FIELD},
        {"5\r\nhello", STATUS_OK},
        {"5\r\nhello\r\n0\r\n", STATUS_AGAIN},
        {"123456789abcdef\r\n", STATUS_AGAIN},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct str text = str_from(table[i].text);
        for (size_t step = 1; step <= text.len; step++) {
            struct decoded decoded = decode(text, step);
            if (decoded.status != table[i].status)
                fail_msg("%s in steps of %zu: %s", table[i].text, step, status_reason(decoded.status));
            end(&decoded);
        }
    }
}

TEST(trailers_that_would_change_the_message_are_dropped)
{
    struct decoded decoded =
        decode(S("0\r\nHost: a\r\nTransfer-Encoding: chunked\r\nauthorization: x\r\nCookie: y\r\n"
                 "Content-Type: z\r\nX-Forwarded-For: 1.2.3.4\r\nConnection: close\r\n"
                 "X-Forwarded-Tls-Client-Cert: x\r\nx_forwarded_user: y\r\n"
                 "grpc-status: 0\r\nETag: \"e\"\r\n\r\n"),
               1000);
    assert_int_equal(decoded.status, STATUS_END);
    assert_int_equal(decoded.trailers.count, 2);
    assert_str_equal(fields_value_name(&decoded.trailers, S("grpc-status")), S("0"));
    assert_str_equal(fields_value(&decoded.trailers, FIELD_ETAG), S("\"e\""));
    end(&decoded);
}

static enum status decode_long(const char *start, const char *repeated, size_t times)
{
    size_t len = strlen(start), each = strlen(repeated);
    char *text = malloc(len + each * times);
    memcpy(text, start, len);
    for (size_t i = 0; i < times; i++)
        memcpy(text + len + i * each, repeated, each);
    struct decoded decoded = decode(str_of(text, len + each * times), 100);
    enum status status = decoded.status;
    end(&decoded);
    free(text);
    return status;
}

TEST(extensions_and_trailers_have_limits)
{
    assert_int_equal(decode_long("5;", "x", H1_CHUNK_LINE_MAX - 2), STATUS_AGAIN);
    assert_int_equal(decode_long("5;", "x", H1_CHUNK_LINE_MAX - 1), STATUS_BAD_CHUNK);
    assert_int_equal(decode_long("0\r\nX: ", "x", H1_TRAILER_BYTES_MAX - 3), STATUS_AGAIN);
    assert_int_equal(decode_long("0\r\nX: ", "x", H1_TRAILER_BYTES_MAX - 2), STATUS_FIELDS_TOO_LARGE);
    assert_int_equal(decode_long("0\r\n", "X: y\r\n", H1_TRAILER_COUNT_MAX), STATUS_AGAIN);
    assert_int_equal(decode_long("0\r\n", "X: y\r\n", H1_TRAILER_COUNT_MAX + 1), STATUS_TOO_MANY_FIELDS);
}

TEST(data_moved_past_the_decoder_ends_the_chunk)
{
    struct h1_chunked decoder;
    struct arena arena;
    struct fields trailers;
    size_t skip, data;
    arena_init(&arena, ARENA_UNLIMITED);
    fields_init(&trailers, &arena, 0);
    h1_chunked_init(&decoder);
    assert_int_equal(h1_chunked_next(&decoder, S("10\r\nab"), &trailers, &skip, &data), STATUS_OK);
    assert_int_equal(skip, 4);
    assert_int_equal(data, 2);
    assert_int_equal(decoder.left, 14);
    decoder.left = 0;
    assert_int_equal(h1_chunked_next(&decoder, S("\r\n0\r\n\r\n"), &trailers, &skip, &data), STATUS_END);
    assert_int_equal(skip, 7);
    arena_release(&arena);
}

TEST(chunk_prefix_is_the_size_in_hex)
{
    static const struct {
        uint64_t size;
        const char *text;
    } table[] = {{0, "0\r\n"}, {1, "1\r\n"}, {15, "f\r\n"}, {16, "10\r\n"}, {0x1a2b, "1a2b\r\n"},
                 {UINT64_MAX, "ffffffffffffffff\r\n"}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char out[20];
        size_t len = h1_chunk_prefix(table[i].size, out);
        assert_str_equal(str_of(out, len), str_from(table[i].text));
    }
}
