#include "route/normalize.h"

#include "base/swar.h"
#include "http/uri.h"

void encoded_policy_init(struct encoded_policy *policy, const struct encoded_characters *allowed)
{
    *policy = (struct encoded_policy){.denied = {
                                          ['/'] = !allowed->allow_slash,
                                          ['\\'] = !allowed->allow_backslash,
                                          ['\0'] = !allowed->allow_null,
                                          [';'] = !allowed->allow_semicolon,
                                          ['%'] = !allowed->allow_percent,
                                          ['?'] = !allowed->allow_question_mark,
                                          ['#'] = !allowed->allow_hash,
                                      }};
    for (size_t i = 0; i < sizeof(policy->denied); i++)
        policy->any = policy->any || policy->denied[i];
}

/* The byte that the escape at `at` stands for; -1 when it is malformed. */
static int escaped_byte(struct str path, size_t at)
{
    if (at + 2 >= path.len)
        return -1;
    int high = ascii_hex(path.data[at + 1]), low = ascii_hex(path.data[at + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

enum status encoded_policy_check(const struct encoded_policy *policy, struct str path)
{
    for (ptrdiff_t at = str_find_char(path, '%', 0); at >= 0;
         at = str_find_char(path, '%', (size_t)at + 3)) {
        int c = escaped_byte(path, (size_t)at);
        if (c < 0)
            return STATUS_BAD_TARGET;
        if (c < 128 && policy->denied[c])
            return STATUS_BAD_ENCODED_CHARACTER;
    }
    return STATUS_OK;
}

void normalizer_init(struct normalizer *normalizer, const struct entrypoint_http *settings)
{
    encoded_policy_init(&normalizer->encoded, &settings->encoded_characters);
    normalizer->sanitize_path = settings->sanitize_path;
    normalizer->encode_query_semicolons = settings->encode_query_semicolons;
    normalizer->keep_query_semicolons = settings->keep_query_semicolons;
}

/* A top bit for every zero byte (and perhaps for bytes above one: good enough to look closer). */
static inline uint64_t zero_bytes(uint64_t word)
{
    return (word - SWAR_ONES) & ~word & (SWAR_ONES * 0x80);
}

/* Whether "%", "//" or "/." begins in the eight bytes at `at`; the ninth is looked at. */
static inline bool work_in(const char *at)
{
    uint64_t word = swar_load64(at), next = swar_load64(at + 1);
    /* '.' is 0x2e and '/' 0x2f: with the lowest bit set they are one. */
    uint64_t pair =
        zero_bytes(word ^ SWAR_ONES * '/') & zero_bytes((next | SWAR_ONES) ^ SWAR_ONES * '/');
    return (pair | zero_bytes(word ^ SWAR_ONES * '%')) != 0;
}

/* False when the path has no "%", no "//" and no "/."; may be true without them. */
static bool needs_work(struct str path)
{
    if (path.data[path.len - 1] == '%')
        return true;
    size_t last = path.len - 1, i = 0;
    if (path.len >= 9) {
        for (; i + 8 < last; i += 8)
            if (work_in(path.data + i))
                return true;
        return work_in(path.data + last - 8);
    }
    for (; i < last; i++) {
        char next = path.data[i + 1];
        if (path.data[i] == '%' || (path.data[i] == '/' && (next == '/' || next == '.')))
            return true;
    }
    return false;
}

static bool is_unreserved(int c)
{
    return c < 128 && (ascii_alpha((char)c) || ascii_digit((char)c) || c == '-' || c == '.' ||
                       c == '_' || c == '~');
}

/* Decodes what needs no escape and writes the other escapes in upper case (RFC 3986 6.2.2). Every
 * escape is well-formed. */
static struct str normal_escapes(struct str path, struct arena *arena)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = arena_alloc(arena, path.len);
    if (out == NULL)
        return STR_NONE;
    size_t len = 0;
    for (size_t i = 0; i < path.len; i++) {
        int c = path.data[i] == '%' ? escaped_byte(path, i) : -1;
        if (c < 0) {
            out[len++] = path.data[i];
            continue;
        }
        i += 2;
        if (is_unreserved(c)) {
            out[len++] = (char)c;
            continue;
        }
        out[len++] = '%';
        out[len++] = digits[c >> 4];
        out[len++] = digits[c & 15];
    }
    return str_of(out, len);
}

static enum status normalize_path(const struct normalizer *normalizer, struct request *request,
                                  struct arena *arena, struct str *ret_routing_path)
{
    struct str path = request->path;
    if (str_find_char(path, '%', 0) >= 0) {
        enum status status = encoded_policy_check(&normalizer->encoded, path);
        if (status != STATUS_OK)
            return status;
        path = normal_escapes(path, arena);
    }
    if (path.data != NULL && normalizer->sanitize_path)
        path = uri_sanitize_path(arena, path);
    *ret_routing_path = path.data != NULL ? uri_routing_path(arena, path) : STR_NONE;
    if (ret_routing_path->data == NULL)
        return STATUS_OUT_OF_MEMORY;
    request->path = path;
    return STATUS_OK;
}

/* ";" separates pairs for some servers and not for others: here it never does. */
static enum status normalize_query(bool encode, struct request *request, struct arena *arena)
{
    struct str query = request->query;
    size_t semicolons = 0, len = 0;
    for (size_t i = 0; i < query.len; i++)
        semicolons += query.data[i] == ';';
    char *out = arena_alloc(arena, query.len + (encode ? 2 * semicolons : 0));
    if (out == NULL)
        return STATUS_OUT_OF_MEMORY;
    for (size_t i = 0; i < query.len; i++) {
        if (query.data[i] != ';') {
            out[len++] = query.data[i];
        } else if (encode) {
            memcpy(out + len, "%3B", 3);
            len += 3;
        } else {
            out[len++] = '&';
        }
    }
    request->query = str_of(out, len);
    return STATUS_OK;
}

enum status normalize(const struct normalizer *normalizer, struct request *request,
                      struct arena *arena, struct str *ret_routing_path)
{
    *ret_routing_path = request->path;
    if (request->query.len > 0 && !normalizer->keep_query_semicolons && memchr(request->query.data, ';', request->query.len) != NULL) {
        enum status status = normalize_query(normalizer->encode_query_semicolons, request, arena);
        if (status != STATUS_OK)
            return status;
    }
    if (request->path.len == 0 || request->path.data[0] != '/' || !needs_work(request->path))
        return STATUS_OK;
    return normalize_path(normalizer, request, arena, ret_routing_path);
}
