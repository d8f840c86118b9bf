#include "provider/docker/member.h"

#include <stdio.h>
#include <time.h>

#include "base/time.h"

json_t *member_parse(struct str text)
{
    return str_empty(text) ? NULL : json_loadb(text.data, text.len, JSON_ALLOW_NUL, NULL);
}

json_t *member_at(const json_t *json, const char *name, ...)
{
    json_t *found = json_object_get(json, name);
    va_list names;
    va_start(names, name);
    for (const char *next; (next = va_arg(names, const char *)) != NULL;)
        found = json_object_get(found, next);
    va_end(names);
    return found;
}

struct str member_text(const json_t *json)
{
    return str_of(json_string_value(json), json_string_length(json));
}

struct str member_copy(const json_t *json, struct arena *arena)
{
    return json_is_string(json) ? arena_str(arena, member_text(json)) : STR_NONE;
}

int64_t member_moment(const json_t *json)
{
    const char *text = json_string_value(json);
    struct tm parts = {0};
    const char *rest = text != NULL ? strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) : NULL;
    if (rest == NULL || parts.tm_year < 70)
        return 0;
    int64_t ns = 0, unit = TIME_S;
    if (*rest == '.')
        for (rest++; ascii_digit(*rest) && unit >= 10; rest++)
            ns += (*rest - '0') * (unit /= 10);
    while (ascii_digit(*rest))
        rest++;
    int hours = 0, minutes = 0;
    if ((*rest == '+' || *rest == '-') && sscanf(rest + 1, "%2d:%2d", &hours, &minutes) != 2)
        return 0;
    int64_t away = (int64_t)(hours * 60 + minutes) * 60 * (*rest == '-' ? -1 : 1);
    return ((int64_t)timegm(&parts) - away) * TIME_S + ns;
}

uint16_t member_tcp_port(const char *key)
{
    struct str rest = str_from(key), port;
    uint64_t number = 0;
    if (!str_split(&rest, '/', &port) || !str_to_u64(port, &number) || number > UINT16_MAX)
        return 0;
    return rest.data == NULL || str_equal(rest, S("tcp")) ? (uint16_t)number : 0;
}
