/* HTTP dates. */
#include "test.h"

#include <time.h>

#include "http/date.h"

TEST(dates_are_written_as_imf_fixdate_and_read_back)
{
    static const int64_t seconds[] = {0,         784111777,  951782400,   951868800,  1078012800, 1709164800,
                                      946684799, 4102444800, 13569465600, 253402300799};
    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        char out[HTTP_DATE_LEN], expected[HTTP_DATE_LEN + 1];
        struct tm tm;
        time_t when = (time_t)seconds[i];
        http_date_format(seconds[i], out);
        strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&when, &tm));
        assert_str_equal(str_of(out, sizeof(out)), str_from(expected));
        int64_t back;
        assert_true(http_date_parse(str_of(out, sizeof(out)), &back));
        assert_int_equal(back, seconds[i]);
    }
}

TEST(every_day_of_four_centuries_has_its_date)
{
    for (int64_t day = -25567; day < -25567 + 146097; day++) {
        char out[HTTP_DATE_LEN];
        int64_t back;
        http_date_format(day * 86400 + 86399, out);
        assert_true(http_date_parse(str_of(out, sizeof(out)), &back));
        assert_int_equal(back, day * 86400 + 86399);
    }
}

TEST(obsolete_forms_are_read)
{
    int64_t seconds;
    assert_true(http_date_parse(S("Sunday, 06-Nov-94 08:49:37 GMT"), &seconds));
    assert_int_equal(seconds, 784111777);
    assert_true(http_date_parse(S("Sun Nov  6 08:49:37 1994"), &seconds));
    assert_int_equal(seconds, 784111777);
    assert_true(http_date_parse(S("Thursday, 29-Feb-24 00:00:00 GMT"), &seconds));
    assert_int_equal(seconds, 1709164800);
}

TEST(other_texts_are_no_dates)
{
    static const char *const bad[] = {
        "",
        "0",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun, 06 Nov",
        "S, 06 Nov 1994 08:49:37 GMT",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t seconds;
        if (http_date_parse(str_from(bad[i]), &seconds))
            fail_msg("%s was accepted", bad[i]);
    }
}
