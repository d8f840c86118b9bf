/* Cookie fields, read and rewritten. */
#include "http/cookie.h"

/* Takes the next pair of a Cookie value; false at the end. */
static bool next_pair(struct str *rest, struct str *ret_pair)
{
    struct str pair;
    while (rest->data != NULL && str_split(rest, ';', &pair)) {
        *ret_pair = str_trim(pair);
        if (ret_pair->len != 0)
            return true;
    }
    return false;
}

static bool is_named(struct str pair, struct str name)
{
    return pair.len > name.len && pair.data[name.len] == '=' && str_starts(pair, name);
}

struct str cookie_value(const struct fields *fields, struct str name)
{
    if (!fields_has(fields, FIELD_COOKIE))
        return STR_NONE;
    FIELDS_FOREACH(fields, field) {
        struct str rest = field->value, pair;
        if (field->id != FIELD_COOKIE)
            continue;
        while (next_pair(&rest, &pair))
            if (is_named(pair, name))
                return str_of(pair.data + name.len + 1, pair.len - name.len - 1);
    }
    return STR_NONE;
}

static bool has_pair(struct str value, struct str name)
{
    struct str pair;
    while (next_pair(&value, &pair))
        if (is_named(pair, name))
            return true;
    return false;
}

/* The value without the pairs of that name. */
static struct str without(struct str value, struct str name, struct arena *arena)
{
    char *kept = arena_alloc(arena, value.len + 1);
    char *out = kept;
    struct str pair;
    if (kept == NULL)
        return STR_NONE;
    while (next_pair(&value, &pair)) {
        if (is_named(pair, name))
            continue;
        if (out != kept)
            out = mempcpy(out, "; ", 2);
        out = mempcpy(out, pair.data, pair.len);
    }
    return str_of(kept, (size_t)(out - kept));
}

void cookie_remove(struct fields *fields, struct str name, struct arena *arena)
{
    bool any_left = false;
    if (!fields_has(fields, FIELD_COOKIE))
        return;
    FIELDS_FOREACH(fields, field) {
        if (field->id != FIELD_COOKIE)
            continue;
        if (has_pair(field->value, name)) {
            field->value = without(field->value, name, arena);
            field->verbatim = false;
        }
        any_left |= field->value.len != 0;
    }
    if (!any_left)
        fields_remove(fields, FIELD_COOKIE);
}
