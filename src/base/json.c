#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <time.h>

static void begin_value(struct json *json)
{
    if (json->keyed) {
        json->keyed = false;
        return;
    }
    if (json->depth == 0)
        return;
    assert(json->closing[json->depth - 1] == ']');
    if (json->follows[json->depth - 1])
        text_add_char(json->out, ',');
    json->follows[json->depth - 1] = true;
}

static void open_level(struct json *json, char opening, char closing)
{
    begin_value(json);
    assert(json->depth < JSON_DEPTH_MAX);
    text_add_char(json->out, opening);
    json->closing[json->depth] = closing;
    json->follows[json->depth++] = false;
}

void json_open_object(struct json *json)
{
    open_level(json, '{', '}');
}

void json_open_array(struct json *json)
{
    open_level(json, '[', ']');
}

void json_end(struct json *json)
{
    assert(json->depth > 0 && !json->keyed);
    text_add_char(json->out, json->closing[--json->depth]);
}

static void quote(struct json *json, struct str value)
{
    text_add_char(json->out, '"');
    text_add_json(json->out, value);
    text_add_char(json->out, '"');
}

void json_key(struct json *json, struct str key)
{
    assert(json->depth > 0 && json->closing[json->depth - 1] == '}' && !json->keyed);
    if (json->follows[json->depth - 1])
        text_add_char(json->out, ',');
    json->follows[json->depth - 1] = true;
    quote(json, key);
    text_add_char(json->out, ':');
    json->keyed = true;
}

void json_str(struct json *json, struct str value)
{
    begin_value(json);
    quote(json, value);
}

void json_raw(struct json *json, struct str value)
{
    begin_value(json);
    text_add(json->out, value);
}

void json_bool(struct json *json, bool value)
{
    json_raw(json, value ? S("true") : S("false"));
}

void json_nothing(struct json *json)
{
    json_raw(json, S("null"));
}

void json_int(struct json *json, int64_t value)
{
    begin_value(json);
    text_addf(json->out, "%" PRId64, value);
}

void json_uint(struct json *json, uint64_t value)
{
    begin_value(json);
    text_add_u64(json->out, value);
}

void json_number(struct json *json, double value)
{
    if (!isfinite(value)) {
        json_nothing(json);
        return;
    }
    begin_value(json);
    text_addf(json->out, "%.9g", value);
}

void json_time(struct json *json, int64_t seconds)
{
    struct tm parts;
    time_t time = (time_t)seconds;
    char buffer[40];
    if (seconds == 0 || gmtime_r(&time, &parts) == NULL) {
        json_nothing(json);
        return;
    }
    json_str(json, str_of(buffer, strftime(buffer, sizeof(buffer), "%Y-%m-%dT%H:%M:%SZ", &parts)));
}

void json_member_str(struct json *json, const char *key, struct str value)
{
    json_key(json, str_from(key));
    json_str(json, value);
}

void json_member_text(struct json *json, const char *key, const char *value)
{
    json_key(json, str_from(key));
    if (value != NULL)
        json_str(json, str_from(value));
    else
        json_nothing(json);
}

void json_member_bool(struct json *json, const char *key, bool value)
{
    json_key(json, str_from(key));
    json_bool(json, value);
}

void json_member_int(struct json *json, const char *key, int64_t value)
{
    json_key(json, str_from(key));
    json_int(json, value);
}

void json_member_uint(struct json *json, const char *key, uint64_t value)
{
    json_key(json, str_from(key));
    json_uint(json, value);
}

void json_member_number(struct json *json, const char *key, double value)
{
    json_key(json, str_from(key));
    json_number(json, value);
}

void json_member_time(struct json *json, const char *key, int64_t seconds)
{
    json_key(json, str_from(key));
    json_time(json, seconds);
}

void json_member_object(struct json *json, const char *key)
{
    json_key(json, str_from(key));
    json_open_object(json);
}

void json_member_array(struct json *json, const char *key)
{
    json_key(json, str_from(key));
    json_open_array(json);
}
