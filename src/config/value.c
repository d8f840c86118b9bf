#include "config/value.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/time.h"

#define NUMBER_LENGTH_MAX 64

struct reading {
    const struct option *option;
    struct str text;
    struct span span;
    struct arena *arena;
    struct diag *diag;
};

static bool wrong_type(const struct reading *reading, const char *expected)
{
    struct diag_item *item;
    if (reading->option->secret)
        item = diag_error(reading->diag, reading->span, "expected %s", expected);
    else
        item = diag_error(reading->diag, reading->span, "expected %s, got '%.*s'", expected,
                          STR_ARGS(reading->text));
    if (str_empty(reading->text))
        diag_hint(reading->diag, item, "leave the option out for its default");
    return false;
}

static bool parse_bool(const struct reading *reading, bool *ret_value)
{
    static const struct {
        const char *text;
        bool value, read;
    } words[] = {
        {"true", true, true}, {"false", false, true}, {"1", true, true},    {"0", false, true},
        {"t", true, true},    {"f", false, true},     {"yes", true, false}, {"no", false, false},
        {"on", true, false},  {"off", false, false},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!str_equal_nocase(reading->text, str_from(words[i].text)))
            continue;
        *ret_value = words[i].value;
        if (words[i].read)
            return true;
        struct diag_item *item =
            diag_error(reading->diag, reading->span, "expected true or false, got '%.*s'",
                       STR_ARGS(reading->text));
        diag_hint(reading->diag, item, "did you mean '%s'?", words[i].value ? "true" : "false");
        return false;
    }
    return wrong_type(reading, "true or false");
}

/* A bound as a user would write it. */
static void bound_text(const struct option *option, int64_t bound, char *out, size_t size)
{
    bool binary = option->type == OPTION_SIZE && bound >= 1024 && bound % 1024 == 0;
    if (option->type == OPTION_DURATION)
        time_format_duration(bound, out, size);
    else if (binary && bound % 1048576 == 0)
        snprintf(out, size, "%lldMiB", (long long)bound / 1048576);
    else if (binary)
        snprintf(out, size, "%lldKiB", (long long)bound / 1024);
    else
        snprintf(out, size, "%lld", (long long)bound);
}

bool value_bounds(const struct option *option, char *out, size_t size)
{
    char low[40], high[40];
    bool counted = option->type == OPTION_INT || option->type == OPTION_NUMBER ||
                   option->type == OPTION_DURATION || option->type == OPTION_SIZE;
    if (!counted || option->min >= option->max)
        return false;
    bound_text(option, option->min, low, sizeof(low));
    bound_text(option, option->max, high, sizeof(high));
    if (option->min == INT64_MIN)
        snprintf(out, size, "at most %s", high);
    else if (option->max == INT64_MAX)
        snprintf(out, size, "at least %s", low);
    else
        snprintf(out, size, "from %s to %s", low, high);
    return true;
}

static bool out_of_bounds(const struct reading *reading)
{
    char bounds[VALUE_BOUNDS_SIZE];
    value_bounds(reading->option, bounds, sizeof(bounds));
    diag_error(reading->diag, reading->span, "must be %s, got %.*s", bounds,
               STR_ARGS(reading->text));
    return false;
}

static bool check_bounds(const struct reading *reading, int64_t value)
{
    const struct option *option = reading->option;
    if (option->min >= option->max || (value >= option->min && value <= option->max))
        return true;
    return out_of_bounds(reading);
}

static bool parse_int(const struct reading *reading, int64_t *ret_value)
{
    struct str digits = reading->text;
    if (str_starts(digits, S("+")))
        digits = str_from_index(digits, 1);
    if (!str_to_i64(digits, ret_value))
        return wrong_type(reading, "a whole number");
    return check_bounds(reading, *ret_value);
}

static bool parse_number(const struct reading *reading, double *ret_value)
{
    char copy[NUMBER_LENGTH_MAX + 1], *end;
    struct str text = reading->text;
    if (str_empty(text) || text.len > NUMBER_LENGTH_MAX ||
        strchr("+-.0123456789", text.data[0]) == NULL)
        return wrong_type(reading, "a number");
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    errno = 0;
    *ret_value = strtod(copy, &end);
    if (*end != '\0' || end == copy || errno == ERANGE || !isfinite(*ret_value))
        return wrong_type(reading, "a number");
    const struct option *option = reading->option;
    if (option->min < option->max &&
        (*ret_value < (double)option->min || *ret_value > (double)option->max))
        return out_of_bounds(reading);
    return true;
}

static bool parse_duration(const struct reading *reading, int64_t *ret_value)
{
    if (!time_parse_duration(reading->text, ret_value))
        return wrong_type(reading, "a duration such as '30s'");
    return check_bounds(reading, *ret_value);
}

/* "-1" is how several options say "no limit": whether it is allowed is for their bounds to say. */
static bool parse_size(const struct reading *reading, int64_t *ret_value)
{
    if (!size_parse(reading->text, ret_value))
        return wrong_type(reading, "a size such as '1MiB'");
    if (*ret_value < 0 && reading->option->min >= reading->option->max) {
        diag_error(reading->diag, reading->span, "must be at least 0, got %.*s",
                   STR_ARGS(reading->text));
        return false;
    }
    return check_bounds(reading, *ret_value);
}

static void list_names(struct text *out, const struct option_name *names)
{
    for (const struct option_name *it = names; it->name != NULL; it++)
        text_addf(out, "%s%s", it == names ? "" : ", ", it->name);
}

static bool parse_enum(const struct reading *reading, int *ret_value)
{
    struct str candidates[64];
    size_t count = 0;
    for (const struct option_name *it = reading->option->names; it->name != NULL; it++) {
        if (str_equal_nocase(reading->text, str_from(it->name))) {
            *ret_value = it->value;
            return true;
        }
        if (count < sizeof(candidates) / sizeof(candidates[0]))
            candidates[count++] = str_from(it->name);
    }
    struct text names;
    text_init(&names, 1024);
    list_names(&names, reading->option->names);
    struct diag_item *item =
        diag_error(reading->diag, reading->span, "expected one of %s, got '%.*s'", text_c(&names),
                   STR_ARGS(reading->text));
    text_release(&names);
    diag_suggest(reading->diag, item, reading->text, candidates, count);
    return false;
}

bool value_check(const struct option *option, struct str text, struct span span,
                 struct arena *arena, struct diag *diag)
{
    if (option->check == NULL)
        return true;
    size_t offset = 0, length = 0;
    const char *fault = option->check(text, arena, &offset, &length);
    if (fault == NULL)
        return true;
    if (length > 0)
        span = span_inside(span, offset, length);
    if (option->secret)
        diag_error(diag, span, "this %s", fault);
    else
        diag_error(diag, span, "'%.*s' %s", STR_ARGS(text), fault);
    return false;
}

bool value_parse(const struct option *option, struct str text, struct span span, void *storage,
                 struct arena *arena, struct diag *diag)
{
    struct reading reading = {option, text, span, arena, diag};
    switch ((enum option_type)option->type) {
    case OPTION_BOOL:
        return parse_bool(&reading, storage);
    case OPTION_INT:
        return parse_int(&reading, storage);
    case OPTION_NUMBER:
        return parse_number(&reading, storage);
    case OPTION_DURATION:
        return parse_duration(&reading, storage);
    case OPTION_SIZE:
        return parse_size(&reading, storage);
    case OPTION_ENUM:
        return parse_enum(&reading, storage);
    case OPTION_STR:
        *(struct str *)storage = text;
        return value_check(option, text, span, arena, diag);
    case OPTION_STRS:
    case OPTION_STRMAP:
    case OPTION_STRUCT:
    case OPTION_OBJECT:
    case OPTION_LIST:
    case OPTION_MAP:
    case OPTION_CHOICE:
        break;
    }
    return wrong_type(&reading, option_type_text(option));
}

bool value_split(const struct option *option, struct str text, struct span span,
                 struct strs *ret_items, struct arena *arena, struct diag *diag)
{
    size_t commas = 0;
    for (size_t i = 0; i < text.len; i++)
        commas += text.data[i] == ',';
    *ret_items = (struct strs){.items = arena_array(arena, struct str, commas + 1)};
    bool good = true;
    struct str rest = text, part;
    while (str_split(&rest, ',', &part)) {
        struct str item = str_trim_space(part);
        if (str_empty(item))
            continue;
        struct span place = span_inside(span, (size_t)(item.data - text.data), item.len);
        good &= value_check(option, item, place, arena, diag);
        ret_items->items[ret_items->count++] = item;
    }
    return good;
}
