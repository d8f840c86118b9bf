/* HTTP dates without the C library's time functions: those know locales and time zones. */
#include "http/date.h"

#define DAY_SECONDS 86400

static const char day_names[] = "SunMonTueWedThuFriSat";
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct date {
    int64_t year;
    int month, day, hour, minute, second;     /* month 0 to 11 */
};

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar; years are counted from March, so the
 * leap day is the last. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    int shifted = (month + 10) % 12;
    year -= shifted >= 10;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * shifted + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static struct date civil_from_days(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = (int)(day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100));
    int shifted = (5 * day_of_year + 2) / 153;
    struct date date = {.month = (shifted + 2) % 12, .day = day_of_year - (153 * shifted + 2) / 5 + 1};
    date.year = year_of_era + era * 400 + (shifted >= 10);
    return date;
}

static char *put_digits(char *out, int64_t value, int width)
{
    for (int i = width - 1; i >= 0; i--, value /= 10)
        out[i] = (char)('0' + value % 10);
    return out + width;
}

static char *put_text(char *out, const char *text, size_t len)
{
    memcpy(out, text, len);
    return out + len;
}

void http_date_format(int64_t unix_seconds, char *out)
{
    int64_t seconds = ((unix_seconds % DAY_SECONDS) + DAY_SECONDS) % DAY_SECONDS;
    int64_t days = (unix_seconds - seconds) / DAY_SECONDS;
    struct date date = civil_from_days(days);
    int64_t weekday = ((days + 4) % 7 + 7) % 7;
    out = put_text(out, day_names + weekday * 3, 3);
    out = put_text(out, ", ", 2);
    out = put_digits(out, date.day, 2);
    *out++ = ' ';
    out = put_text(out, month_names + date.month * 3, 3);
    *out++ = ' ';
    out = put_digits(out, date.year, 4);
    *out++ = ' ';
    out = put_digits(out, seconds / 3600, 2);
    *out++ = ':';
    out = put_digits(out, seconds / 60 % 60, 2);
    *out++ = ':';
    out = put_digits(out, seconds % 60, 2);
    put_text(out, " GMT", 4);
}

static bool read_number(struct str text, size_t at, size_t width, int *ret_value)
{
    *ret_value = 0;
    for (size_t i = at; i < at + width; i++) {
        if (!ascii_digit(text.data[i]))
            return false;
        *ret_value = *ret_value * 10 + (text.data[i] - '0');
    }
    return true;
}

static bool read_month(struct str text, size_t at, int *ret_month)
{
    for (int month = 0; month < 12; month++) {
        if (memcmp(text.data + at, month_names + month * 3, 3) == 0) {
            *ret_month = month;
            return true;
        }
    }
    return false;
}

static size_t part_width(char kind)
{
    return kind == 'M' ? 3 : kind == 'Y' ? 4 : strchr("DdyHIS", kind) != NULL ? 2 : 1;
}

static bool read_part(struct str text, size_t at, char kind, struct date *date)
{
    int year;
    switch (kind) {
    case 'd':
        if (text.data[at] == ' ')
            return read_number(text, at + 1, 1, &date->day);
        return read_number(text, at, 2, &date->day);
    case 'D':
        return read_number(text, at, 2, &date->day);
    case 'M':
        return read_month(text, at, &date->month);
    case 'Y':
    case 'y':
        if (!read_number(text, at, part_width(kind), &year))
            return false;
        /* RFC 9110 5.6.7: two digits mean the closest such year that is not over 50 years ahead. */
        date->year = kind == 'Y' ? year : year + (year < 70 ? 2000 : 1900);
        return true;
    case 'H':
        return read_number(text, at, 2, &date->hour);
    case 'I':
        return read_number(text, at, 2, &date->minute);
    case 'S':
        return read_number(text, at, 2, &date->second);
    default:
        return text.data[at] == kind;
    }
}

/* Reads what `pattern` says: D day, d day padded with a space, M month name, Y year, y its last two digits,
 * H I S time of day; other characters stand for themselves. */
static bool read_pattern(struct str text, const char *pattern, struct date *date)
{
    size_t at = 0;
    for (; *pattern != '\0'; pattern++) {
        size_t width = part_width(*pattern);
        if (at + width > text.len || !read_part(text, at, *pattern, date))
            return false;
        at += width;
    }
    return at == text.len;
}

static bool is_real(const struct date *date)
{
    static const int8_t lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = date->year % 4 == 0 && (date->year % 100 != 0 || date->year % 400 == 0);
    return date->day >= 1 && date->day <= lengths[date->month] - (date->month == 1 && !leap) &&
           date->hour < 24 && date->minute < 60 && date->second <= 60;
}

/* Behind the name of the day, which says nothing new. */
static struct str behind_day(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_alpha(text.data[i]))
            return i >= 3 ? str_of(text.data + i, text.len - i) : STR_NONE;
    return STR_NONE;
}

bool http_date_parse(struct str text, int64_t *ret_unix_seconds)
{
    static const char *const patterns[] = {", D M Y H:I:S", ", D-M-y H:I:S", " M d H:I:S Y"};
    struct str rest = behind_day(text);
    bool has_zone = str_ends(rest, S(" GMT"));
    if (has_zone)
        rest.len -= 4;
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        struct date date = {0};
        bool is_asctime = i == 2;
        if (has_zone == is_asctime || !read_pattern(rest, patterns[i], &date) || !is_real(&date))
            continue;
        *ret_unix_seconds = days_from_civil(date.year, date.month, date.day) * DAY_SECONDS +
                            date.hour * 3600 + date.minute * 60 + date.second;
        return true;
    }
    return false;
}
