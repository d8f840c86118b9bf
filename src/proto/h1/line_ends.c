#include "proto/h1/line_ends.h"

static bool is_end(struct str bytes, size_t feed)
{
    size_t next = feed + 1;
    if (next < bytes.len && bytes.data[next] == '\r')
        next++;
    return next < bytes.len && bytes.data[next] == '\n';
}

/* How many bytes of empty lines stand before the head. */
static size_t empty_lines(struct str bytes)
{
    size_t at = 0;
    while (at < bytes.len && (bytes.data[at] == '\n' || (bytes.data[at] == '\r' && at + 1 < bytes.len && bytes.data[at + 1] == '\n')))
        at++;
    return at;
}

bool h1_has_bare_feed(struct str bytes)
{
    size_t start = empty_lines(bytes);
    for (ptrdiff_t feed = str_find_char(bytes, '\n', 0); feed >= 0; feed = str_find_char(bytes, '\n', (size_t)feed + 1)) {
        if (feed == 0 || bytes.data[feed - 1] != '\r')
            return true;
        if ((size_t)feed >= start && is_end(bytes, (size_t)feed) && bytes.data[feed + 1] == '\r')
            return false;
    }
    return false;
}

/* The head's bytes, the empty line included, and how many lines it has; 0: its end has not come. */
static size_t measure(struct str bytes, size_t start, size_t *ret_lines)
{
    *ret_lines = 1;
    for (ptrdiff_t feed = str_find_char(bytes, '\n', start); feed >= 0; feed = str_find_char(bytes, '\n', (size_t)feed + 1)) {
        ++*ret_lines;
        if (is_end(bytes, (size_t)feed))
            return (size_t)str_find_char(bytes, '\n', (size_t)feed + 1) + 1;
    }
    return 0;
}

enum status h1_repair_line_ends(struct str bytes, const struct h1_limits *limits, struct arena *arena, struct str *ret_head,
                                size_t *ret_length)
{
    size_t lines, start = empty_lines(bytes), end = measure(bytes, start, &lines);
    if (end == 0)
        return bytes.len > limits->head_bytes ? STATUS_FIELDS_TOO_LARGE : STATUS_AGAIN;
    char *text = arena_alloc(arena, end - start + lines), *out = text;
    if (text == NULL)
        return STATUS_OUT_OF_MEMORY;
    for (size_t at = start; at < end; at++) {
        if (bytes.data[at] == '\n' && (at == start || bytes.data[at - 1] != '\r'))
            *out++ = '\r';
        *out++ = bytes.data[at];
    }
    *ret_head = str_of(text, (size_t)(out - text));
    *ret_length = end;
    return STATUS_OK;
}
