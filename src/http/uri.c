/* Percent-encoding, queries and the parts of a URI. */
#include "http/uri.h"

enum { UNRESERVED = 1, PATH = 2 };

static const uint8_t classes[256] = {
    ['0' ... '9'] = UNRESERVED | PATH, ['A' ... 'Z'] = UNRESERVED | PATH,
    ['a' ... 'z'] = UNRESERVED | PATH, ['-'] = UNRESERVED | PATH, ['.'] = UNRESERVED | PATH,
    ['_'] = UNRESERVED | PATH, ['~'] = UNRESERVED | PATH,
    ['!'] = PATH, ['$'] = PATH, ['&' ... ','] = PATH, ['/'] = PATH, [':'] = PATH, [';'] = PATH,
    ['='] = PATH, ['@'] = PATH,
};

/* The byte that "%XX" at `at` stands for, or -1. */
static int decode_at(struct str text, size_t at)
{
    if (at + 2 >= text.len)
        return -1;
    int high = ascii_hex(text.data[at + 1]), low = ascii_hex(text.data[at + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool decode(struct arena *arena, struct str text, bool plus, struct str *ret_text)
{
    if (str_find_char(text, '%', 0) < 0 && (!plus || str_find_char(text, '+', 0) < 0)) {
        *ret_text = text;
        return true;
    }
    char *decoded = arena_alloc(arena, text.len);
    if (decoded == NULL)
        return false;
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int c = (unsigned char)text.data[i];
        if (c == '%') {
            c = decode_at(text, i);
            if (c < 0)
                return false;
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        decoded[len++] = (char)c;
    }
    *ret_text = str_of(decoded, len);
    return true;
}

bool uri_decode(struct arena *arena, struct str text, struct str *ret_text)
{
    return decode(arena, text, false, ret_text);
}

bool uri_decode_query(struct arena *arena, struct str text, struct str *ret_text)
{
    return decode(arena, text, true, ret_text);
}

static char *put_encoded(char *out, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";
    *out++ = '%';
    *out++ = digits[c >> 4];
    *out++ = digits[c & 15];
    return out;
}

/* Encodes all but the characters of one class. */
static struct str encode(struct arena *arena, struct str text, uint8_t keep)
{
    size_t others = 0;
    for (size_t i = 0; i < text.len; i++)
        others += (classes[(unsigned char)text.data[i]] & keep) == 0;
    if (others == 0)
        return text;
    char *encoded = arena_alloc(arena, text.len + 2 * others);
    if (encoded == NULL)
        return STR_NONE;
    char *out = encoded;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if ((classes[c] & keep) != 0)
            *out++ = (char)c;
        else
            out = put_encoded(out, c);
    }
    return str_of(encoded, (size_t)(out - encoded));
}

struct str uri_encode_path(struct arena *arena, struct str text)
{
    return encode(arena, text, PATH);
}

struct str uri_encode_component(struct arena *arena, struct str text)
{
    return encode(arena, text, UNRESERVED);
}

void uri_add_component(struct text *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        char encoded[3];
        size_t len = (classes[c] & UNRESERVED) != 0 ? 1 : (size_t)(put_encoded(encoded, c) - encoded);
        text_add(out, str_of(len == 1 ? text.data + i : encoded, len));
    }
}

static bool is_reserved(int c)
{
    return c != 0 && strchr(":/?#[]@!$&'()*+,;=%", c) != NULL;
}

struct str uri_routing_path(struct arena *arena, struct str path)
{
    if (path.len == 0 || memchr(path.data, '%', path.len) == NULL)
        return path;
    char *decoded = arena_alloc(arena, path.len);
    if (decoded == NULL)
        return STR_NONE;
    char *out = decoded;
    bool changed = false;
    for (size_t i = 0; i < path.len; i++) {
        if (path.data[i] != '%') {
            *out++ = path.data[i];
            continue;
        }
        int c = decode_at(path, i);
        if (c < 0)
            return STR_NONE;
        if (is_reserved(c)) {
            out = put_encoded(out, (unsigned char)c);
            changed |= memcmp(out - 3, path.data + i, 3) != 0;
        } else {
            *out++ = (char)c;
            changed = true;
        }
        i += 2;
    }
    return changed ? str_of(decoded, (size_t)(out - decoded)) : path;
}

bool uri_next_pair(struct str *rest, struct str *ret_key, struct str *ret_value)
{
    struct str pair;
    do {
        if (rest->len == 0)
            return false;
        ptrdiff_t end = str_find_char(*rest, '&', 0);
        pair = end < 0 ? *rest : str_first(*rest, (size_t)end);
        *rest = str_from_index(*rest, pair.len + 1);
    } while (pair.len == 0);
    ptrdiff_t equals = str_find_char(pair, '=', 0);
    *ret_key = equals < 0 ? pair : str_first(pair, (size_t)equals);
    *ret_value = equals < 0 ? STR_NONE
                            : str_of(pair.data + equals + 1, pair.len - (size_t)equals - 1);
    return true;
}

bool uri_split(struct str text, struct uri *ret_uri)
{
    static const struct str schemes[] = {STR("http"), STR("https"), STR("ws"), STR("wss")};
    ptrdiff_t colon = str_find(text, S("://"));
    if (colon < 0)
        return false;
    struct uri uri = {.scheme = str_first(text, (size_t)colon)};
    bool known = false;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        known |= str_equal_nocase(uri.scheme, schemes[i]);

    struct str rest = str_from_index(text, (size_t)colon + 3);
    ptrdiff_t hash = str_find_char(rest, '#', 0);
    if (hash >= 0)
        rest = str_first(rest, (size_t)hash);
    if (rest.len == 0)
        return false;
    size_t end = 0;
    while (end < rest.len && rest.data[end] != '/' && rest.data[end] != '?')
        end++;
    uri.authority = str_first(rest, end);
    uri.path = str_of(rest.data + end, rest.len - end);
    ptrdiff_t question = str_find_char(uri.path, '?', 0);
    if (question >= 0) {
        uri.query = str_of(uri.path.data + question + 1, uri.path.len - (size_t)question - 1);
        uri.path = str_first(uri.path, (size_t)question);
    }
    *ret_uri = uri;
    return known && uri.authority.len != 0;
}
