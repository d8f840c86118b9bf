/* Byte ranges. */
#include "test.h"

#include "http/range.h"

TEST(ranges_are_cut_to_the_representation)
{
    static const struct {
        const char *value;
        int64_t length;
        enum range_result result;
        size_t count;
        struct byte_range first, last;
    } table[] = {
        {"bytes=0-0", 10, RANGE_OK, 1, {0, 0}, {0, 0}},
        {"bytes=2-", 10, RANGE_OK, 1, {2, 9}, {2, 9}},
        {"bytes=2-100", 10, RANGE_OK, 1, {2, 9}, {2, 9}},
        {"bytes=-3", 10, RANGE_OK, 1, {7, 9}, {7, 9}},
        {"bytes=-30", 10, RANGE_OK, 1, {0, 9}, {0, 9}},
        {"Bytes=0-1, ,-2", 10, RANGE_OK, 2, {0, 1}, {8, 9}},
        {"bytes=20-30,1-2", 10, RANGE_OK, 1, {1, 2}, {1, 2}},
        {"bytes=10-", 10, RANGE_UNSATISFIABLE, 0, {0}, {0}},
        {"bytes=-0", 10, RANGE_UNSATISFIABLE, 0, {0}, {0}},
        {"bytes=0-", 0, RANGE_UNSATISFIABLE, 0, {0}, {0}},
        {"bytes=-1", 0, RANGE_UNSATISFIABLE, 0, {0}, {0}},
        {"bytes=0-18446744073709551615", 10, RANGE_OK, 1, {0, 9}, {0, 9}},
        {"bytes=18446744073709551615-", 10, RANGE_UNSATISFIABLE, 0, {0}, {0}},
        {"bytes=0-18446744073709551616", 10, RANGE_NONE, 0, {0}, {0}},
        {"bytes=2-1", 10, RANGE_NONE, 0, {0}, {0}},
        {"bytes=", 10, RANGE_NONE, 0, {0}, {0}},
        {"bytes=-", 10, RANGE_NONE, 0, {0}, {0}},
        {"bytes=a-b", 10, RANGE_NONE, 0, {0}, {0}},
        {"bytes=1", 10, RANGE_NONE, 0, {0}, {0}},
        {"bytes=0-1,x", 10, RANGE_NONE, 0, {0}, {0}},
        {"bytes 0-1", 10, RANGE_NONE, 0, {0}, {0}},
        {"lines=0-1", 10, RANGE_NONE, 0, {0}, {0}},
        {"bytes=0-,0-,0-,0-", 10, RANGE_NONE, 0, {0}, {0}},
        {"bytes=0-5,3-7", 10, RANGE_OK, 2, {0, 5}, {3, 7}},
        {"bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,10-10,11-11,12-12,13-13,14-14,15-15", 100, RANGE_OK,
         16, {0, 0}, {15, 15}},
        {"bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,10-10,11-11,12-12,13-13,14-14,15-15,16-16", 100,
         RANGE_NONE, 0, {0}, {0}},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct byte_range ranges[RANGES_MAX];
        size_t count;
        enum range_result result = range_parse(str_from(table[i].value), table[i].length, ranges, &count);
        if (result != table[i].result || count != table[i].count)
            fail_msg("%s: %d with %zu ranges", table[i].value, result, count);
        if (count != 0) {
            assert_memory_equal(&ranges[0], &table[i].first, sizeof(ranges[0]));
            assert_memory_equal(&ranges[count - 1], &table[i].last, sizeof(ranges[0]));
        }
    }
}
