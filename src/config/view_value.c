/* One option's value as JSON. */
#include "config/view_value.h"

#include <stdio.h>

#include "base/time.h"

#define HIDDEN S("xxxx")

/* Go's time.Duration.String: whole minutes and seconds behind the largest unit, "1h0m0s", and below a second one unit. */
static size_t print_duration(int64_t ns, char out[TIME_DURATION_SIZE])
{
    static const struct {
        uint64_t ns;
        const char *name;
    } units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "\xc2\xb5s"}, {1, "ns"}};
    uint64_t left = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    uint64_t hours = left / UINT64_C(3600000000000), minutes = left / UINT64_C(60000000000) % 60;
    int len = snprintf(out, TIME_DURATION_SIZE, "%s", ns < 0 ? "-" : "");
    if (hours != 0)
        len += snprintf(out + len, TIME_DURATION_SIZE - (size_t)len, "%lluh", (unsigned long long)hours);
    if (hours != 0 || minutes != 0)
        len += snprintf(out + len, TIME_DURATION_SIZE - (size_t)len, "%llum", (unsigned long long)minutes);
    bool alone = hours == 0 && minutes == 0;
    size_t unit = 0;
    left %= UINT64_C(60000000000);
    while (alone && left != 0 && left < units[unit].ns)
        unit++;
    char fraction[16];
    uint64_t rest = left % units[unit].ns;
    len += snprintf(out + len, TIME_DURATION_SIZE - (size_t)len, "%llu", (unsigned long long)(left / units[unit].ns));
    if (rest != 0) {
        int digits = unit == 0 ? 9 : unit == 1 ? 6 : 3;
        int end = snprintf(fraction, sizeof(fraction), ".%0*llu", digits, (unsigned long long)rest);
        while (fraction[end - 1] == '0')
            end--;
        len += snprintf(out + len, TIME_DURATION_SIZE - (size_t)len, "%.*s", end, fraction);
    }
    len += snprintf(out + len, TIME_DURATION_SIZE - (size_t)len, "%s", units[unit].name);
    return (size_t)len;
}

struct str view_enum_text(const struct option *option, int value)
{
    for (const struct option_name *it = option->names; it->name != NULL; it++)
        if (it->value == value)
            return str_from(it->name);
    return STR_NONE;
}

static struct str visible(const struct option *option, struct str text)
{
    return option->secret && text.len != 0 ? HIDDEN : text;
}

static void write_strs(const struct option *option, const struct strs *strs, struct json *json)
{
    json_open_array(json);
    for (size_t i = 0; i < strs->count; i++)
        json_str(json, visible(option, strs->items[i]));
    json_end(json);
}

static void write_strmap(const struct option *option, const struct strmap *map, struct json *json)
{
    json_open_object(json);
    for (size_t i = 0; i < map->count; i++) {
        json_key(json, map->items[i].name);
        json_str(json, visible(option, map->items[i].value));
    }
    json_end(json);
}

void view_value(const struct option *option, const void *storage, struct json *json)
{
    char duration[TIME_DURATION_SIZE];
    switch ((enum option_type)option->type) {
    case OPTION_BOOL:
        json_bool(json, *(const bool *)storage);
        return;
    case OPTION_INT:
    case OPTION_SIZE:
        if (option->secret)
            json_str(json, HIDDEN);
        else
            json_int(json, *(const int64_t *)storage);
        return;
    case OPTION_NUMBER:
        json_number(json, *(const double *)storage);
        return;
    case OPTION_DURATION:
        json_str(json, str_of(duration, print_duration(*(const int64_t *)storage, duration)));
        return;
    case OPTION_STR:
        json_str(json, visible(option, *(const struct str *)storage));
        return;
    case OPTION_ENUM:
        json_str(json, view_enum_text(option, *(const int *)storage));
        return;
    case OPTION_STRS:
        write_strs(option, storage, json);
        return;
    case OPTION_STRMAP:
        write_strmap(option, storage, json);
        return;
    case OPTION_STRUCT:
    case OPTION_OBJECT:
    case OPTION_LIST:
    case OPTION_MAP:
    case OPTION_CHOICE:
        break;
    }
    json_nothing(json);
}
