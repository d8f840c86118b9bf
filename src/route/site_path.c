#include "route/site_path.h"

/* Nothing in it needs work: most paths. */
static bool is_plain(struct str path)
{
    char before = '\0';
    for (size_t i = 0; i < path.len; i++) {
        char c = path.data[i];
        if (c == '%' || (before == '/' && (c == '/' || c == '.')))
            return false;
        before = c;
    }
    return true;
}

/* Takes the last segment off what was written ("/a/b/" -> "/a/"); false at the root. */
static bool go_up(const char *start, char **out)
{
    char *at = *out - 1;      /* the slash that ends what is there */
    if (at == start)
        return false;
    do
        at--;
    while (*at != '/');
    *out = at + 1;
    return true;
}

/* What stands behind the last slash is complete: is it "." or ".."? */
static enum status end_segment(const char *start, char **out)
{
    char *segment = *out;
    while (segment[-1] != '/')
        segment--;
    size_t len = (size_t)(*out - segment);
    if (len == 1 && segment[0] == '.') {
        *out = segment;
    } else if (len == 2 && segment[0] == '.' && segment[1] == '.') {
        *out = segment;
        if (!go_up(start, out))
            return STATUS_BAD_TARGET;
    }
    return STATUS_OK;
}

static enum status decode_at(struct str path, size_t *at, char *ret_byte)
{
    if (path.len - *at < 3)
        return STATUS_BAD_TARGET;
    int high = ascii_hex(path.data[*at + 1]), low = ascii_hex(path.data[*at + 2]);
    if (high < 0 || low < 0 || (high | low) == 0)
        return STATUS_BAD_TARGET;
    *ret_byte = (char)(high << 4 | low);
    *at += 2;
    return STATUS_OK;
}

/* Decoded slashes and dots count as such, as in nginx. */
enum status site_path(struct arena *arena, struct str path, bool merge, struct str *ret_path)
{
    *ret_path = path;
    if (path.len == 0 || path.data[0] != '/' || is_plain(path))
        return STATUS_OK;
    char *start = arena_alloc(arena, path.len);
    if (start == NULL)
        return STATUS_OUT_OF_MEMORY;
    char *out = start;
    *out++ = '/';
    enum status status = STATUS_OK;
    for (size_t i = 1; i < path.len && status == STATUS_OK; i++) {
        char byte = path.data[i];
        if (byte == '%')
            status = decode_at(path, &i, &byte);
        if (status == STATUS_OK && byte == '/') {
            char *before = out;
            status = end_segment(start, &out);
            bool dots = out != before;
            if (status == STATUS_OK && !dots && (out[-1] != '/' || !merge))
                *out++ = '/';
        } else {
            *out++ = byte;
        }
    }
    if (status == STATUS_OK)
        status = end_segment(start, &out);
    *ret_path = str_of(start, (size_t)(out - start));
    return status;
}
