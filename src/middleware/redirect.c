#include "middleware/redirect.h"

#include "base/swar.h"
#include "middleware/answer.h"

static bool is_url_byte(char c)
{
    return c > ' ' && c < 0x7f;
}

/* Eight at a time: nearly all are as they should be. */
static bool is_url(struct str text)
{
    const char *at = text.data, *end = text.data + text.len;
    uint64_t odd = 0;
    for (; end - at >= 8; at += 8) {
        uint64_t word = swar_load64(at);
        /* A borrow or a carry into the next byte can only come from a byte that is odd itself. */
        odd |= word | (word + SWAR_ONES) | (word - SWAR_ONES * '!');
    }
    bool url = (odd & (SWAR_ONES * 0x80)) == 0;
    for (; at < end; at++)
        url &= is_url_byte(*at);
    return url;
}

static struct str encode_location(struct arena *arena, struct str text)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t bad = 0;
    if (is_url(text))
        return text;
    for (size_t i = 0; i < text.len; i++)
        bad += !is_url_byte(text.data[i]);
    char *out = arena_alloc(arena, text.len + 2 * bad), *end = out;
    if (out == NULL)
        return STR_NONE;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (is_url_byte(text.data[i])) {
            *end++ = (char)c;
            continue;
        }
        *end++ = '%';
        *end++ = digits[c >> 4];
        *end++ = digits[c & 15];
    }
    return str_of(out, text.len + 2 * bad);
}

struct str redirect_join(struct arena *arena, const struct str *parts, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    char *out = arena_alloc(arena, len), *end = out;
    if (out == NULL)
        return STR_NONE;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len != 0)
            memcpy(end, parts[i].data, parts[i].len);
        end += parts[i].len;
    }
    return str_of(out, len);
}

enum verdict redirect_answer(struct exchange *x, struct str location, bool permanent)
{
    bool get = exchange_request(x)->method == METHOD_GET;
    int status = permanent ? (get ? 301 : 308) : (get ? 302 : 307);
    location = encode_location(&x->arena, location);
    if (location.data == NULL)
        return answer_out_of_memory(x);
    exchange_answer_redirect(x, status, location);
    return VERDICT_ANSWER;
}
