#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "middleware/expires.h"

#define NOW INT64_C(1700000000)      /* Tue, 14 Nov 2023 22:13:20 GMT */

/* "date-now max-age", "off", or what is wrong. */
static const char *told(const char *text, int64_t last_modified)
{
    static char out[100];
    struct expires expires;
    struct str rest = str_from(text);
    bool modified = expires_is_modified(&rest);
    if (expires_parse(rest, modified, &expires) != NULL)
        return "wrong";
    if (expires.kind == EXPIRES_OFF)
        return "off";
    int64_t date, max_age;
    expires_when(&expires, NOW, last_modified, &date, &max_age);
    snprintf(out, sizeof(out), "%lld %lld", (long long)(date - NOW), (long long)max_age);
    return out;
}

TEST(expires_reads_times_as_nginx_does)
{
    assert_string_equal(told("30d", -1), "2592000 2592000");
    assert_string_equal(told("+1h 30m", -1), "5400 5400");
    assert_string_equal(told("2048", -1), "2048 2048");
    assert_string_equal(told("1m30", -1), "90 90");
    assert_string_equal(told("1y", -1), "31536000 31536000");
    assert_string_equal(told("0", -1), "0 0");
    assert_string_equal(told("-1", -1), "-1 -1");
    assert_string_equal(told("-2h", -1), "-7200 -1");
    assert_string_equal(told("off", -1), "off");
    assert_string_equal(told("epoch", -1), "-1699999999 -1");
    assert_string_equal(told("max", -1), "445916555 315360000");
}

TEST(expires_counts_from_last_modified)
{
    assert_string_equal(told("modified 24h", NOW - 100), "86300 86300");
    assert_string_equal(told("modified +10s", NOW - 100), "-90 -90");
    assert_string_equal(told("modified 24h", -1), "86400 86400");
}

TEST(expires_at_a_time_of_day_is_the_next_one)
{
    setenv("TZ", "UTC", 1);
    tzset();
    assert_string_equal(told("@22h13m21s", -1), "1 1");
    assert_string_equal(told("@22h13m20s", -1), "86400 86400");
    assert_string_equal(told("@1h", -1), "10000 10000");
    unsetenv("TZ");
    tzset();
}

TEST(expires_refuses_what_is_no_time)
{
    const char *const texts[] = {"", "x", "1x", "h", "1m1h", "1 2", "--1", "@25h", "modified epoch", "modified @1h", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_string_equal(told(texts[i], -1), "wrong");
}
