#include "proto/ws/frame.h"

#include "base/text.h"
#include "test.h"

/* Reads `bytes` in steps of `step` and writes down what happened, pieces of one message joined. */
static struct str told(const char *bytes, size_t length, size_t step, bool from_client, uint64_t max)
{
    static char out[4096];
    static char copy[70000];
    struct ws_reader reader;
    struct text text;
    bool open = false;
    assert_true(length <= sizeof(copy));
    memcpy(copy, bytes, length);
    ws_reader_init(&reader, from_client, max);
    text_init(&text, sizeof(out));
    for (size_t at = 0; at < length;) {
        struct ws_event event;
        size_t given = length - at < step ? length - at : step;
        size_t used = ws_read(&reader, copy + at, given, &event);
        at += used;
        if (event.what == WS_DATA) {
            text_addf(&text, open ? "" : event.opcode == WS_TEXT ? "text(" : "binary(");
            open = !event.ends;
            text_addf(&text, event.ends ? "%.*s) " : "%.*s", STR_ARGS(event.data));
        } else if (event.what == WS_BROKEN) {
            text_addf(&text, "broken(%u)", event.code);
            break;
        } else if (event.what == WS_CLOSED) {
            text_addf(&text, "close(%u%.*s) ", event.code, STR_ARGS(event.data));
        } else if (event.what != WS_MORE) {
            text_addf(&text, event.what == WS_PINGED ? "ping(%.*s) " : "pong(%.*s) ", STR_ARGS(event.data));
        }
        assert_true(used > 0);
    }
    size_t size = text.len;
    memcpy(out, text_c(&text), size);
    text_release(&text);
    return str_of(out, size);
}

#define assert_told(literal, expected) \
    do { \
        for (size_t step_ = 1; step_ <= sizeof(literal); step_++) \
            assert_str_equal(told(literal, sizeof(literal) - 1, step_, false, 1000), S(expected)); \
    } while (0)

TEST(ws_frames_of_rfc_6455_are_read_however_they_are_cut)
{
    assert_told("\x81\x05Hello", "text(Hello) ");
    assert_told("\x01\x03Hel\x80\x02lo", "text(Hello) ");
    assert_told("\x89\x05Hello\x8a\x05Hello", "ping(Hello) pong(Hello) ");
    assert_told("\x82\x00", "binary() ");
    assert_told("\x88\x00", "close(1005) ");
    assert_told("\x88\x05\x03\xe8" "bye", "close(1000bye) ");
}

TEST(ws_masked_frames_are_unmasked)
{
    static const char frame[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    for (size_t step = 1; step <= sizeof(frame); step++)
        assert_str_equal(told(frame, sizeof(frame) - 1, step, true, 1000), S("text(Hello) "));
}

TEST(ws_control_frames_may_stand_between_fragments)
{
    assert_told("\x01\x03Hel\x89\x01!\x80\x02lo\x82\x01x", "text(Helping(!) lo) binary(x) ");
}

TEST(ws_frames_that_break_the_rules_are_refused)
{
    assert_told("\xc1\x01x", "broken(1002)");                  /* a reserved bit */
    assert_told("\x83\x01x", "broken(1002)");                  /* a reserved opcode */
    assert_told("\x80\x01x", "broken(1002)");                  /* continues nothing */
    assert_told("\x01\x01" "a\x81\x01" "b", "text(abroken(1002)");     /* a message inside another */
    assert_told("\x09\x01x", "broken(1002)");                  /* a fragmented ping */
    assert_told("\x89\x7e\x00\x7e", "broken(1002)");           /* a ping of 126 bytes */
    assert_told("\x82\x7e\x00\x05", "broken(1002)");           /* 5 in two bytes */
    assert_told("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", "broken(1002)");
    assert_told("\x81\x81" "abcdX", "broken(1002)");           /* a mask from a server */
    assert_told("\x88\x01\x03", "broken(1002)");               /* half a close code */
    assert_told("\x88\x02\x03\xed", "broken(1002)");           /* 1005 on the wire */
    assert_told("\x88\x03\x03\xe8\xff", "broken(1007)");
    assert_str_equal(told("\x81\x01x", 3, 3, true, 1000), S("broken(1002)"));      /* no mask from a client */
}

TEST(ws_text_has_to_be_utf8_across_fragments)
{
    assert_told("\x01\x01\xc3\x80\x01\xa9", "text(\xc3\xa9) ");
    assert_told("\x01\x02\xf0\x9f\x00\x00\x80\x02\x98\x80", "text(\xf0\x9f\x98\x80) ");
    assert_told("\x81\x01\xc3", "broken(1007)");
    assert_told("\x82\x01\xc3", "binary(\xc3) ");
    assert_str_equal(told("\x81\x05\xff" "abcd", 7, 7, false, 1000), S("broken(1007)"));
}

TEST(ws_messages_have_a_largest_size)
{
    assert_str_equal(told("\x82\x04" "abcd", 6, 6, false, 4), S("binary(abcd) "));
    assert_str_equal(told("\x82\x05", 2, 2, false, 4), S("broken(1009)"));
    assert_str_equal(told("\x02\x03" "abc\x80\x02", 7, 7, false, 4), S("binary(abcbroken(1009)"));
}

TEST(ws_heads_that_are_written_are_read_back)
{
    static const uint64_t lengths[] = {0, 1, 125, 126, 65535, 65536, 1 << 20};
    static const uint8_t mask[4] = {1, 2, 3, 4};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        for (int masked = 0; masked < 2; masked++) {
            char head[WS_HEAD_MAX];
            struct ws_reader reader;
            struct ws_event event;
            size_t size = ws_write_head(head, WS_BINARY, true, lengths[i], masked ? mask : NULL);
            ws_reader_init(&reader, masked, UINT64_MAX);
            assert_int_equal(ws_read(&reader, head, size, &event), size);
            assert_int_equal(reader.left, lengths[i]);
            assert_int_equal(event.what, lengths[i] == 0 ? WS_DATA : WS_MORE);
        }
}

TEST(ws_close_frames_that_are_written_are_read_back)
{
    char frame[4];
    assert_int_equal(ws_write_close(frame, 1009), 4);
    assert_str_equal(told(frame, 4, 4, false, 10), S("close(1009) "));
}

TEST(ws_masking_in_parts_is_masking_as_a_whole)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    char whole[40], parts[40];
    for (size_t i = 0; i < sizeof(whole); i++)
        whole[i] = parts[i] = (char)i;
    ws_mask(whole, sizeof(whole), mask, 0);
    for (size_t i = 0; i < sizeof(whole); i++)
        assert_int_equal((uint8_t)whole[i], (uint8_t)i ^ mask[i & 3]);
    ws_mask(parts, 3, mask, 0);
    ws_mask(parts + 3, 20, mask, 3);
    ws_mask(parts + 23, 17, mask, 23);
    assert_memory_equal(whole, parts, sizeof(whole));
}
