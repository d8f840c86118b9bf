#include "middleware/expires.h"

#include <time.h>

#define DAY INT64_C(86400)
#define EPOCH INT64_C(1)                /* Thu, 01 Jan 1970 00:00:01 GMT */
#define TEN_YEARS INT64_C(315360000)
#define LATEST INT64_C(2145916555)      /* Thu, 31 Dec 2037 23:55:55 GMT */
#define SECONDS_MAX (INT64_C(1) << 40)

static int64_t unit_seconds(char unit)
{
    switch (unit) {
    case 'y':
        return 365 * DAY;
    case 'M':
        return 30 * DAY;
    case 'w':
        return 7 * DAY;
    case 'd':
        return DAY;
    case 'h':
        return 3600;
    case 'm':
        return 60;
    case 's':
        return 1;
    default:
        return 0;
    }
}

/* "1h 30m", "90": numbers with units that get smaller, the last may be without one. */
static bool parse_time(struct str text, int64_t *ret_seconds)
{
    int64_t sum = 0, last = INT64_MAX, number = 0;
    bool digits = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (ascii_digit(c)) {
            number = number * 10 + (c - '0');
            digits = true;
            if (number > SECONDS_MAX)
                return false;
        } else if (c == ' ') {
            if (digits)
                return false;
        } else {
            int64_t unit = unit_seconds(c);
            if (!digits || unit == 0 || unit >= last)
                return false;
            last = unit;
            sum += number * unit;
            number = 0;
            digits = false;
        }
    }
    if (text.len == 0 || sum > SECONDS_MAX * DAY || (digits && last == 1))
        return false;
    *ret_seconds = sum + number;
    return true;
}

bool expires_is_modified(struct str *text)
{
    if (!str_starts(*text, S("modified ")))
        return false;
    *text = str_trim(str_from_index(*text, S("modified ").len));
    return true;
}

static bool parse_word(struct str text, struct expires *expires)
{
    if (str_equal(text, S("epoch")))
        expires->kind = EXPIRES_EPOCH;
    else if (str_equal(text, S("max")))
        expires->kind = EXPIRES_MAX;
    else if (str_equal(text, S("off")))
        expires->kind = EXPIRES_OFF;
    else
        return false;
    return true;
}

const char *expires_parse(struct str text, bool modified, struct expires *ret_expires)
{
    *ret_expires = (struct expires){.kind = modified ? EXPIRES_MODIFIED : EXPIRES_ACCESS};
    if (!modified && parse_word(text, ret_expires))
        return NULL;
    char sign = text.len != 0 ? text.data[0] : '\0';
    if (sign == '@' && modified)
        return "a time of the day does not go with 'modified'";
    if (sign == '@' || sign == '+' || sign == '-')
        text = str_of(text.data + 1, text.len - 1);
    if (sign == '@')
        ret_expires->kind = EXPIRES_DAILY;
    if (!parse_time(text, &ret_expires->seconds))
        return "is not a time such as 30d, 1h30m, @15h, modified +24h, epoch, max or off";
    if (sign == '@' && ret_expires->seconds > DAY)
        return "is more than a day has";
    if (sign == '-')
        ret_expires->seconds = -ret_expires->seconds;
    return NULL;
}

/* The next time that local clocks show so many seconds since midnight. */
static int64_t next_time(int64_t now, int64_t of_day)
{
    time_t clock = now;
    struct tm tm;
    localtime_r(&clock, &tm);
    tm.tm_hour = (int)(of_day / 3600);
    tm.tm_min = (int)(of_day % 3600 / 60);
    tm.tm_sec = (int)(of_day % 60);
    tm.tm_isdst = -1;
    struct tm today = tm;
    time_t next = mktime(&today);
    if (next > now)
        return next;
    tm.tm_mday++;
    return mktime(&tm);
}

void expires_when(const struct expires *expires, int64_t now, int64_t modified, int64_t *ret_date, int64_t *ret_max_age)
{
    switch (expires->kind) {
    case EXPIRES_OFF:
    case EXPIRES_EPOCH:
        *ret_date = EPOCH;
        *ret_max_age = -1;
        return;
    case EXPIRES_MAX:
        *ret_date = LATEST;
        *ret_max_age = TEN_YEARS;
        return;
    case EXPIRES_DAILY:
        *ret_date = next_time(now, expires->seconds);
        *ret_max_age = *ret_date - now;
        return;
    case EXPIRES_ACCESS:
    case EXPIRES_MODIFIED:
        break;
    }
    bool from_modified = expires->kind == EXPIRES_MODIFIED && modified >= 0 && expires->seconds != 0;
    *ret_date = (from_modified ? modified : now) + expires->seconds;
    *ret_max_age = expires->seconds < 0 ? -1 : *ret_date - now;
}
