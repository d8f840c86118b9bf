#include "base/time.h"

#include "test.h"

static int64_t duration(const char *text)
{
    int64_t ns = INT64_C(-123456789);
    if (!time_parse_duration(str_from(text), &ns))
        fail_msg("\"%s\" is a duration", text);
    return ns;
}

TEST(time_reads_durations_as_go_does)
{
    assert_true(duration("0") == 0);
    assert_true(duration("300ms") == 300 * TIME_MS);
    assert_true(duration("1.5h") == 5400 * TIME_S);
    assert_true(duration("1h30m") == 5400 * TIME_S);
    assert_true(duration("-1s") == -TIME_S);
    assert_true(duration("+2m") == 120 * TIME_S);
    assert_true(duration(".5s") == 500 * TIME_MS);
    assert_true(duration("1.s") == TIME_S);
    assert_true(duration("1us2ns") == 1002);
    assert_true(duration("1\xc2\xb5s") == TIME_US);
    assert_true(duration("1\xce\xbcs") == TIME_US);
    assert_true(duration("0.1000000000000000000000001s") == 100 * TIME_MS);
}

TEST(time_reads_a_whole_number_as_seconds)
{
    assert_true(duration("10") == 10 * TIME_S);
    assert_true(duration("-3") == -3 * TIME_S);
    assert_true(duration("9223372036") == INT64_C(9223372036) * TIME_S);
}

TEST(time_refuses_what_is_no_duration_or_too_long)
{
    static const char *const bad[] = {"",
                                      "-",
                                      "s",
                                      ".s",
                                      "1.5",
                                      "1h 30m",
                                      "1d",
                                      "1hh",
                                      " 1s",
                                      "1s ",
                                      "--1s",
                                      "1e3s",
                                      ".",
                                      "1S",
                                      "0x1s",
                                      "9223372037",
                                      "2562047h48m",
                                      "1h30",
                                      "-9223372036854775809ns",
                                      "99999999999999999999s"};
    int64_t ns = 1;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (time_parse_duration(str_from(bad[i]), &ns))
            fail_msg("\"%s\" is no duration", bad[i]);
    }
    assert_true(ns == 1);
}

static void assert_formats(int64_t ns, const char *expected)
{
    char out[TIME_DURATION_SIZE];
    assert_int_equal(time_format_duration(ns, out, sizeof(out)), strlen(expected));
    assert_string_equal(out, expected);
    assert_true(duration(out) == ns);
}

TEST(time_writes_the_shortest_duration_that_reads_back)
{
    assert_formats(0, "0s");
    assert_formats(1, "1ns");
    assert_formats(1500, "1.5us");
    assert_formats(59 * TIME_S + 90001, "59.000090001s");
    assert_formats(1010 * TIME_US, "1.01ms");
    assert_formats(999999, "999.999us");
    assert_formats(300 * TIME_MS, "300ms");
    assert_formats(TIME_S, "1s");
    assert_formats(90 * TIME_S, "1m30s");
    assert_formats(3600 * TIME_S, "1h");
    assert_formats(3600 * TIME_S + 500 * TIME_MS, "1h500ms");
    assert_formats(-1500 * TIME_MS, "-1.5s");
    assert_formats(INT64_MAX, "2562047h47m16.854775807s");
    assert_formats(INT64_MIN, "-2562047h47m16.854775808s");
}

TEST(time_format_stays_within_its_room)
{
    char out[4] = "zzz";
    assert_int_equal(time_format_duration(90 * TIME_S, out, sizeof(out)), 5);
    assert_string_equal(out, "1m3");
}

TEST(time_clocks_go_forward_and_the_wall_clock_knows_this_century)
{
    int64_t before = time_monotonic();
    assert_true(time_monotonic() >= before);
    assert_true(time_wall() > INT64_C(1700000000) * TIME_S);
}

static int64_t size(const char *text)
{
    int64_t bytes = -77;
    if (!size_parse(str_from(text), &bytes))
        fail_msg("\"%s\" is a size", text);
    return bytes;
}

TEST(size_knows_units_of_1024_and_of_1000)
{
    assert_true(size("1048576") == 1048576);
    assert_true(size("1MiB") == 1048576);
    assert_true(size("64k") == 65536);
    assert_true(size("64K") == 65536);
    assert_true(size("8m") == 8 << 20);
    assert_true(size("1.5GB") == 1500000000);
    assert_true(size("2kb") == 2000);
    assert_true(size("1t") == INT64_C(1) << 40);
    assert_true(size("512B") == 512);
    assert_true(size("-1") == -1);
}

TEST(size_refuses_fractions_of_bytes_unknown_units_and_overflow)
{
    static const char *const bad[] = {
        "", "k", "1.5", "1x", "1 k", "1kk", "9223372036854775808", "8388608t"};
    int64_t bytes;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (size_parse(str_from(bad[i]), &bytes))
            fail_msg("\"%s\" is no size", bad[i]);
    }
}
