/* Dots and empty segments in a raw path (RFC 3986 5.2.4, with the trailing slash as Go's path.Clean and
 * URL.JoinPath leave it). */
#include "http/uri.h"

/* How many bytes at `at` spell a dot: 1 for ".", 3 for "%2e", 0 for anything else. */
static size_t dot_len(struct str path, size_t at)
{
    if (at < path.len && path.data[at] == '.')
        return 1;
    if (at + 2 < path.len && path.data[at] == '%' && path.data[at + 1] == '2' &&
        (path.data[at + 2] | 0x20) == 'e')
        return 3;
    return 0;
}

/* 1 for a segment that is ".", 2 for "..", 0 for others. */
static int dots(struct str segment)
{
    size_t first = dot_len(segment, 0);
    if (first == 0)
        return 0;
    if (first == segment.len)
        return 1;
    size_t second = dot_len(segment, first);
    return second != 0 && first + second == segment.len ? 2 : 0;
}

static struct str segment_at(struct str path, size_t at)
{
    const char *end = at < path.len ? memchr(path.data + at, '/', path.len - at) : NULL;
    return str_of(path.data + at, (end != NULL ? (size_t)(end - path.data) : path.len) - at);
}

/* Most paths have nothing of the kind: one look at what follows each slash. */
static bool is_clean(struct str path)
{
    for (size_t i = 0; i + 1 < path.len; i++) {
        if (path.data[i] != '/')
            continue;
        char next = path.data[i + 1];
        if (next == '/' || ((next == '.' || next == '%') && dots(segment_at(path, i + 1)) != 0))
            return false;
    }
    return true;
}

struct str uri_sanitize_path(struct arena *arena, struct str path)
{
    if (path.len == 0 || path.data[0] != '/' || is_clean(path))
        return path;
    char *clean = arena_alloc(arena, path.len + 1);
    if (clean == NULL)
        return STR_NONE;
    size_t len = 0;
    for (size_t at = 1; at < path.len;) {
        struct str segment = segment_at(path, at);
        at += segment.len + 1;
        int level = dots(segment);
        if (level == 2) {
            while (len > 0 && clean[--len] != '/')
                continue;
        } else if (level == 0 && segment.len != 0) {
            clean[len++] = '/';
            memcpy(clean + len, segment.data, segment.len);
            len += segment.len;
        }
    }
    if (len == 0 || path.data[path.len - 1] == '/')
        clean[len++] = '/';
    return str_of(clean, len);
}
