#include "admin/words.h"

#include <math.h>

#include "base/time.h"

double words_ms(int64_t ns)
{
    return round((double)ns / (double)TIME_US) / 1000;
}

void words_member_ms(struct json *json, const char *key, int64_t ns)
{
    json_member_number(json, key, words_ms(ns));
}

void words_member_str(struct json *json, const char *key, struct str value)
{
    if (value.len != 0)
        json_member_str(json, key, value);
    else
        json_member_text(json, key, NULL);
}

void words_member_place(struct json *json, const char *key, const struct node *origin)
{
    struct span span = origin != NULL ? node_span(origin) : SPAN_NONE;
    if (span.source == NULL) {
        json_member_text(json, key, NULL);
        return;
    }
    struct text place;
    text_init(&place, span.source->name.len + 32);
    text_add(&place, span.source->name);
    if (!span.source->word && span.line != 0)
        text_addf(&place, ":%u:%u", span.line, span.column);
    json_member_str(json, key, text_str(&place));
    text_release(&place);
}

void words_member_time(struct json *json, const char *key, int64_t ns)
{
    json_member_time(json, key, ns / TIME_S);
}

bool words_have(struct str text, struct str word)
{
    if (word.len == 0)
        return true;
    char first = ascii_lower(word.data[0]);
    for (size_t at = 0; at + word.len <= text.len; at++)
        if (ascii_lower(text.data[at]) == first && str_equal_nocase(str_of(text.data + at, word.len), word))
            return true;
    return false;
}
