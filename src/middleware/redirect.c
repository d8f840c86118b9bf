#include "middleware/redirect.h"

#include "middleware/answer.h"

static bool is_url_byte(char c)
{
    return c > ' ' && c < 0x7f;
}

static struct str encode_location(struct arena *arena, struct str text)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t bad = 0;
    for (size_t i = 0; i < text.len; i++)
        bad += !is_url_byte(text.data[i]);
    if (bad == 0)
        return text;
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
