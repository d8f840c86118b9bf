#include "http/range.h"

#include "test.h"

#define MAX 8

static struct byte_range ranges[MAX];
static size_t count;

static enum range_result parse(const char *text, size_t max, bool bounded)
{
    return range_parse_many(str_from(text), 100, max, bounded, ranges, &count);
}

static void assert_range(size_t at, int64_t first, int64_t last)
{
    assert_int_equal(ranges[at].first, first);
    assert_int_equal(ranges[at].last, last);
}

TEST(many_ranges_are_read_as_nginx_reads_them)
{
    assert_int_equal(parse("bytes=0-0", MAX, true), RANGE_OK);
    assert_range(0, 0, 0);
    assert_int_equal(parse("bytes=90-200", MAX, true), RANGE_OK);
    assert_range(0, 90, 99);
    assert_int_equal(parse("bytes=90-", MAX, true), RANGE_OK);
    assert_range(0, 90, 99);
    assert_int_equal(parse("bytes=-5", MAX, true), RANGE_OK);
    assert_range(0, 95, 99);
    assert_int_equal(parse("bytes=-500", MAX, true), RANGE_OK);
    assert_range(0, 0, 99);
    assert_int_equal(parse("bytes= 0 - 4 , 2-3", MAX, true), RANGE_OK);
    assert_int_equal(count, 2);
    assert_range(1, 2, 3);
    assert_int_equal(parse("bytes=5-6,400-", MAX, true), RANGE_OK);
    assert_int_equal(count, 1);
}

TEST(many_ranges_that_are_malformed_or_beyond_the_end_cannot_be_satisfied)
{
    static const char *const bad[] = {"bytes=",      "bytes=x",  "bytes=1",    "bytes=1-x", "bytes=-",
                                      "bytes=0-1;2", "bytes=--", "bytes=100-", "bytes=5-2", "bytes=9223372036854775808-",
                                      "bytes=0-1,",  "bytes=0-99999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(parse(bad[i], MAX, true), RANGE_UNSATISFIABLE);
}

TEST(many_ranges_beyond_sense_give_the_whole)
{
    assert_int_equal(parse("bytes=0-1,2-3,4-5", 2, true), RANGE_NONE);
    assert_int_equal(parse("bytes=0-99,0-99", MAX, true), RANGE_NONE);
    assert_int_equal(range_parse_many(S("bytes=0-"), 0, MAX, true, ranges, &count), RANGE_NONE);
    assert_int_equal(range_parse_many(S("bytes=0-0,2-2,4-4,6-6"), 8, MAX, false, ranges, &count), RANGE_OK);
    assert_int_equal(range_parse_many(S("bytes=0-0"), 0, 0, true, ranges, &count), RANGE_NONE);
}
