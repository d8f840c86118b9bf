/* Clocks, and durations and sizes as people write them. */
#include "base/time.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "base/digits.h"

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);
    assert(failed == 0);
    return now.tv_sec * TIME_S + now.tv_nsec;
}

int64_t time_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t time_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

struct unit {
    struct str name;
    uint64_t factor;
};

/* Longer names before those that they begin with. */
static const struct unit duration_units[] = {
    {STR("ns"), 1},
    {STR("us"), 1000},
    {STR("\xc2\xb5s"), 1000}, /* U+00B5, the micro sign */
    {STR("\xce\xbcs"), 1000}, /* U+03BC, the Greek letter */
    {STR("ms"), 1000000},
    {STR("s"), 1000000000},
    {STR("m"), UINT64_C(60000000000)},
    {STR("h"), UINT64_C(3600000000000)},
};

static const struct unit size_units[] = {
    {STR("kib"), UINT64_C(1) << 10},
    {STR("mib"), UINT64_C(1) << 20},
    {STR("gib"), UINT64_C(1) << 30},
    {STR("tib"), UINT64_C(1) << 40},
    {STR("kb"), 1000},
    {STR("mb"), 1000000},
    {STR("gb"), 1000000000},
    {STR("tb"), UINT64_C(1000000000000)},
    {STR("k"), UINT64_C(1) << 10},
    {STR("m"), UINT64_C(1) << 20},
    {STR("g"), UINT64_C(1) << 30},
    {STR("t"), UINT64_C(1) << 40},
    {STR("b"), 1},
};

#define UNITS(table) table, sizeof(table) / sizeof((table)[0])

/* A decimal number as whole + fraction / scale. */
struct number {
    uint64_t whole, fraction, scale;
};

/* "12", "1.5", ".5", "1."; at most 18 digits of a fraction count. */
static bool take_number(struct str *rest, struct number *ret)
{
    size_t at = 0, digits = 0;
    *ret = (struct number){.scale = 1};
    for (; at < rest->len && ascii_digit(rest->data[at]); at++, digits++) {
        if (__builtin_mul_overflow(ret->whole, 10, &ret->whole) ||
            __builtin_add_overflow(ret->whole, (uint64_t)(rest->data[at] - '0'), &ret->whole))
            return false;
    }
    if (at < rest->len && rest->data[at] == '.') {
        for (at++; at < rest->len && ascii_digit(rest->data[at]); at++, digits++) {
            if (ret->scale >= UINT64_C(1000000000000000000))
                continue;
            ret->fraction = ret->fraction * 10 + (uint64_t)(rest->data[at] - '0');
            ret->scale *= 10;
        }
    }
    *rest = str_of(rest->data + at, rest->len - at);
    return digits != 0;
}

static const struct unit *take_unit(struct str *rest, bool nocase, const struct unit *units,
                                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct str name = units[i].name;
        if (nocase ? str_starts_nocase(*rest, name) : str_starts(*rest, name)) {
            *rest = str_of(rest->data + name.len, rest->len - name.len);
            return &units[i];
        }
    }
    return NULL;
}

/* Adds number * factor to *total; false beyond 2^63, the magnitude of INT64_MIN. */
static bool add_scaled(uint64_t *total, struct number number, uint64_t factor)
{
    unsigned __int128 sum = (unsigned __int128)number.whole * factor + *total +
                            (unsigned __int128)number.fraction * factor / number.scale;
    if (sum > (uint64_t)1 << 63)
        return false;
    *total = (uint64_t)sum;
    return true;
}

static bool apply_sign(uint64_t magnitude, bool negative, int64_t *ret)
{
    if (!negative && magnitude > INT64_MAX)
        return false;
    *ret = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

static bool take_sign(struct str *text)
{
    bool negative = str_starts(*text, S("-"));
    if (negative || str_starts(*text, S("+")))
        *text = str_from_index(*text, 1);
    return negative;
}

bool time_parse_duration(struct str text, int64_t *ret_ns)
{
    bool negative = take_sign(&text);
    uint64_t seconds, total = 0;
    if (str_to_u64(text, &seconds)) {
        struct number number = {.whole = seconds, .scale = 1};
        return add_scaled(&total, number, TIME_S) && apply_sign(total, negative, ret_ns);
    }
    if (text.len == 0)
        return false;
    while (text.len != 0) {
        struct number number;
        const struct unit *unit;
        if (!take_number(&text, &number) ||
            (unit = take_unit(&text, false, UNITS(duration_units))) == NULL ||
            !add_scaled(&total, number, unit->factor))
            return false;
    }
    return apply_sign(total, negative, ret_ns);
}

bool size_parse(struct str text, int64_t *ret_bytes)
{
    bool negative = take_sign(&text);
    uint64_t total = 0;
    struct number number;
    if (!take_number(&text, &number))
        return false;
    const struct unit *unit = take_unit(&text, true, UNITS(size_units));
    if (text.len != 0 || (unit == NULL && number.scale != 1))
        return false;
    return add_scaled(&total, number, unit != NULL ? unit->factor : 1) &&
           apply_sign(total, negative, ret_bytes);
}

/* "1.5ms": value / factor without the zeros at the end of its fraction. */
static char *put_decimal(char *out, uint64_t value, uint64_t factor, struct str unit)
{
    out = digits_put(out, value / factor);
    uint64_t left = value % factor;
    if (left != 0) {
        /* The factor's 1 keeps the zeros in front, and its place is the point's. */
        char *point = out;
        for (out = digits_put(out, factor + left); out[-1] == '0'; out--)
            continue;
        *point = '.';
    }
    memcpy(out, unit.data, unit.len);
    return out + unit.len;
}

static char *put_duration(char *out, int64_t ns)
{
    uint64_t left = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    const uint64_t minute = UINT64_C(60000000000), hour = 60 * minute;
    if (ns < 0)
        *out++ = '-';
    if (left >= hour)
        out = put_decimal(out, left / hour, 1, S("h"));
    left %= hour;
    if (left >= minute)
        out = put_decimal(out, left / minute, 1, S("m"));
    left %= minute;
    if (left >= (uint64_t)TIME_S || ns == 0)
        return put_decimal(out, left, TIME_S, S("s"));
    if (left >= (uint64_t)TIME_MS)
        return put_decimal(out, left, TIME_MS, S("ms"));
    if (left >= (uint64_t)TIME_US)
        return put_decimal(out, left, TIME_US, S("us"));
    return left != 0 ? put_decimal(out, left, 1, S("ns")) : out;
}

size_t time_format_duration(int64_t ns, char *out, size_t size)
{
    char text[TIME_DURATION_SIZE], *at = size >= sizeof(text) ? out : text;
    size_t len = (size_t)(put_duration(at, ns) - at), fits = len < size ? len : size - (size != 0);
    if (at == text)
        memcpy(out, text, fits);
    if (size != 0)
        out[fits] = '\0';
    return len;
}
