#include "base/tar.h"

#include "test.h"

#include <stdio.h>

TEST(tar_pads_files_to_blocks_and_ends_with_two_empty_ones)
{
    struct text archive;
    text_init(&archive, 1 << 20);
    tar_add(&archive, S("a.json"), S("{}"), 1000000000);
    assert_int_equal(archive.len, 1024);
    assert_string_equal(archive.data, "a.json");
    assert_memory_equal(archive.data + 100, "0000600\0", 8);
    assert_memory_equal(archive.data + 124, "00000000002\0", 12);
    assert_memory_equal(archive.data + 136, "07346545000\0", 12);
    assert_memory_equal(archive.data + 257, "ustar\0" "00", 8);
    assert_memory_equal(archive.data + 512, "{}\0", 3);
    unsigned sum = 0;
    for (size_t i = 0; i < 512; i++)
        sum += i >= 148 && i < 156 ? ' ' : (unsigned char)archive.data[i];
    char digits[8];
    snprintf(digits, sizeof(digits), "%06o", sum);
    assert_memory_equal(archive.data + 148, digits, 7);
    text_clear(&archive);
    tar_add(&archive, S("empty"), STR_NONE, 0);
    tar_end(&archive);
    assert_int_equal(archive.len, 512 + 1024);
    text_release(&archive);
}
