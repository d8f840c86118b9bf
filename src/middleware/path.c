#include "middleware/path.h"

#include "middleware/answer.h"

static bool is_escape(struct str raw, size_t at)
{
    return raw.data[at] == '%' && at + 2 < raw.len && ascii_hex(raw.data[at + 1]) >= 0 &&
           ascii_hex(raw.data[at + 2]) >= 0;
}

/* The byte that stands at *at, which moves behind it. */
static char next_decoded(struct str raw, size_t *at)
{
    if (!is_escape(raw, *at))
        return raw.data[(*at)++];
    char byte = (char)(ascii_hex(raw.data[*at + 1]) << 4 | ascii_hex(raw.data[*at + 2]));
    *at += 3;
    return byte;
}

ptrdiff_t path_match_prefix(struct str raw, struct str prefix)
{
    size_t at = 0;
    for (size_t i = 0; i < prefix.len; i++) {
        if (at == raw.len || next_decoded(raw, &at) != prefix.data[i])
            return -1;
    }
    return (ptrdiff_t)at;
}

size_t path_skip_decoded(struct str raw, size_t count)
{
    size_t at = 0;
    while (count-- > 0 && at < raw.len)
        next_decoded(raw, &at);
    return at;
}

/* What RFC 3986 lets stand in a path: unreserved, sub-delims, ":", "@" and "/". */
static bool may_stand_raw(char c)
{
    return ascii_alpha(c) || ascii_digit(c) ||
           (c != '\0' && strchr("-._~!$&'()*+,;=:@/", c) != NULL);
}

struct str path_encode(struct arena *arena, struct str text, bool keep_escapes)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t grown = text.len;
    for (size_t i = 0; i < text.len; i++)
        grown += may_stand_raw(text.data[i]) || (keep_escapes && is_escape(text, i)) ? 0 : 2;
    if (grown == text.len)
        return text;
    char *out = arena_alloc(arena, grown), *end = out;
    if (out == NULL)
        return STR_NONE;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (may_stand_raw((char)c) || (keep_escapes && is_escape(text, i))) {
            *end++ = (char)c;
            continue;
        }
        *end++ = '%';
        *end++ = digits[c >> 4];
        *end++ = digits[c & 15];
    }
    return str_of(out, grown);
}

bool path_has_dot_segment(struct str raw)
{
    size_t dots = 0, others = 0;
    for (size_t at = 0; at < raw.len;) {
        bool slash = raw.data[at] == '/';
        char byte = next_decoded(raw, &at);
        if (slash) {
            if (others == 0 && (dots == 1 || dots == 2))
                return true;
            dots = others = 0;
        } else if (byte == '.') {
            dots++;
        } else {
            others++;
        }
    }
    return others == 0 && (dots == 1 || dots == 2);
}

bool path_escapes_are_whole(struct str raw)
{
    for (ptrdiff_t at = str_find_char(raw, '%', 0); at >= 0;
         at = str_find_char(raw, '%', (size_t)at + 1)) {
        if (!is_escape(raw, (size_t)at))
            return false;
    }
    return true;
}

struct str path_rooted(struct arena *arena, struct str path)
{
    if (path.len != 0 && path.data[0] == '/')
        return path;
    return path.len == 0 ? S("/") : arena_concat(arena, S("/"), path);
}

enum verdict path_forward(struct exchange *x, struct str path)
{
    if (path.data != NULL)
        path = path_rooted(&x->arena, path);
    if (path.data == NULL)
        return answer_out_of_memory(x);
    if (path_has_dot_segment(path) || !path_escapes_are_whole(path)) {
        exchange_answer_status(x, status_http(STATUS_BAD_REWRITE), STATUS_BAD_REWRITE);
        return VERDICT_ANSWER;
    }
    exchange_request(x)->path = path;
    return VERDICT_NEXT;
}

const char *path_check_not_empty(struct str text, struct arena *arena, size_t *ret_offset,
                                 size_t *ret_length)
{
    return text.len == 0 ? "is empty" : NULL;
}
