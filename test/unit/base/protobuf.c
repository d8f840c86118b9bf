/* The bytes are those of the encoding's specification (protobuf.dev/programming-guides/encoding). */
#include "base/protobuf.h"

#include "test.h"

static struct text text;

static void expect(const char *bytes, size_t size)
{
    assert_int_equal(text.len, size);
    assert_memory_equal(text.data, bytes, size);
    text_release(&text);
}
#define EXPECT(literal) expect(literal, sizeof(literal) - 1)

TEST(protobuf_writes_the_examples_of_its_specification)
{
    text_init(&text, 1000);
    protobuf_uint(&text, 1, 150);
    protobuf_str(&text, 2, S("testing"));
    EXPECT("\x08\x96\x01\x12\x07testing");
}

TEST(protobuf_leaves_zeroes_out)
{
    text_init(&text, 1000);
    protobuf_uint(&text, 1, 0);
    protobuf_sint(&text, 2, 0);
    protobuf_fixed64(&text, 3, 0);
    protobuf_double(&text, 4, 0.0);
    protobuf_str(&text, 5, STR_NONE);
    EXPECT("");
}

TEST(protobuf_folds_signed_numbers)
{
    text_init(&text, 1000);
    protobuf_sint(&text, 1, -1);
    protobuf_sint(&text, 1, 1);
    protobuf_sint(&text, 1, -2);
    protobuf_sint(&text, 1, INT64_MIN);
    EXPECT("\x08\x01\x08\x02\x08\x03\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST(protobuf_writes_fixed_numbers_least_byte_first)
{
    text_init(&text, 1000);
    protobuf_fixed64(&text, 1, 0x0102030405060708);
    protobuf_double(&text, 2, 1.0);
    EXPECT("\x09\x08\x07\x06\x05\x04\x03\x02\x01\x11\0\0\0\0\0\0\xf0\x3f");
}

TEST(protobuf_makes_room_for_the_length_of_a_long_message)
{
    char long_text[200];
    memset(long_text, 'a', sizeof(long_text));
    text_init(&text, 1000);
    size_t outer = protobuf_open(&text, 1);
    size_t inner = protobuf_open(&text, 2);
    protobuf_str(&text, 3, str_of(long_text, sizeof(long_text)));
    protobuf_close(&text, inner);
    protobuf_close(&text, outer);
    assert_int_equal(text.len, 1 + 2 + 1 + 2 + 1 + 2 + 200);
    assert_memory_equal(text.data, "\x0a\xce\x01\x12\xcb\x01\x1a\xc8\x01" "aaa", 12);
    text_release(&text);
}

TEST(protobuf_keeps_an_empty_message)
{
    text_init(&text, 1000);
    protobuf_close(&text, protobuf_open(&text, 1));
    EXPECT("\x0a\x00");
}

TEST(protobuf_survives_the_end_of_its_text)
{
    text_init(&text, 4);
    size_t mark = protobuf_open(&text, 1);
    protobuf_str(&text, 2, S("too long"));
    protobuf_close(&text, mark);
    assert_true(text.overflow);
    text_release(&text);
}
