/* Tokens, lists and quality values. Owns the table of token characters; copies nothing. */
#include "http/token.h"

const bool token_char[256] = {
    ['!'] = true, ['#' ... '\''] = true, ['*'] = true, ['+'] = true, ['-'] = true, ['.'] = true,
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['^'] = true, ['_'] = true, ['`'] = true,
    ['a' ... 'z'] = true, ['|'] = true, ['~'] = true,
};

bool token_is_valid(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!token_char[(unsigned char)text.data[i]])
            return false;
    return text.len != 0;
}

bool token_is_field_value(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

const char *token_field_value_check(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return token_is_field_value(text) ? NULL : "has bytes that no header field may hold";
}

/* Where the part that starts at 0 ends: at `separator` outside of quotes, or at the end. */
static size_t part_end(struct str text, char separator)
{
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (c == separator && !quoted)
            return i;
    }
    return text.len;
}

bool token_next(struct str *rest, struct str *ret_member)
{
    while (rest->len != 0) {
        size_t end = part_end(*rest, ',');
        struct str member = str_trim(str_first(*rest, end));
        *rest = str_from_index(*rest, end + 1);
        if (member.len != 0) {
            *ret_member = member;
            return true;
        }
    }
    return false;
}

bool token_list_has(struct str list, struct str token)
{
    struct str member;
    while (token_next(&list, &member))
        if (str_equal_nocase(member, token))
            return true;
    return false;
}

static struct str unquoted(struct str text)
{
    if (text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"')
        return str_of(text.data + 1, text.len - 2);
    return text;
}

struct str token_parameter(struct str member, struct str name, struct str *ret_bare)
{
    size_t end = part_end(member, ';');
    if (ret_bare != NULL)
        *ret_bare = str_trim(str_first(member, end));
    while (end < member.len) {
        member = str_from_index(member, end + 1);
        end = part_end(member, ';');
        struct str parameter = str_first(member, end);
        ptrdiff_t equals = str_find_char(parameter, '=', 0);
        if (equals >= 0 && str_equal_nocase(str_trim(str_first(parameter, (size_t)equals)), name))
            return unquoted(str_trim(str_of(parameter.data + equals + 1,
                                            parameter.len - (size_t)equals - 1)));
    }
    return STR_NONE;
}

int token_quality(struct str text)
{
    if (text.len == 0)
        return 1000;
    if (text.len > 5 || (text.data[0] != '0' && text.data[0] != '1') ||
        (text.len > 1 && text.data[1] != '.'))
        return -1;
    int value = (text.data[0] - '0') * 1000;
    int weight = 100;
    for (size_t i = 2; i < text.len; i++, weight /= 10) {
        if (!ascii_digit(text.data[i]))
            return -1;
        value += (text.data[i] - '0') * weight;
    }
    return value <= 1000 ? value : -1;
}

int token_accepts(struct str accept, struct str coding, int absent)
{
    int any = -1;
    struct str member, bare;
    while (token_next(&accept, &member)) {
        int quality = token_quality(token_parameter(member, S("q"), &bare));
        if (quality < 0)
            continue;
        if (str_equal_nocase(bare, coding))
            return quality;
        if (str_equal(bare, S("*")))
            any = quality;
    }
    return any >= 0 ? any : absent;
}
