#include "proto/h1/repair.h"

#include "http/token.h"
#include "proto/h1/line_ends.h"

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* ---- targets ---- */

/* Where a path or a query may begin: behind the authority of an absolute form. */
static size_t local_part(struct str target)
{
    ptrdiff_t slashes = str_find(target, S("://"));
    if (target.len == 0 || target.data[0] == '/' || slashes < 0)
        return 0;
    size_t at = (size_t)slashes + 3;
    while (at < target.len && target.data[at] != '/' && target.data[at] != '?' && target.data[at] != '#')
        at++;
    return at;
}

static bool must_be_encoded(char c, bool in_query)
{
    return (unsigned char)c >= 0x80 || c == '"' || c == '<' || c == '>' || (c == '\\' && !in_query);
}

struct str h1_repair_target(struct str target, struct arena *arena)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t at = local_part(target);
    if (at == target.len || target.data[at] == '#')
        return STR_NONE;
    char *text = arena_alloc(arena, target.len * 3 + 1), *out = text;
    if (text == NULL)
        return STR_NONE;
    out = mempcpy(out, target.data, at);
    bool in_query = false, changed = false;
    for (; at < target.len && target.data[at] != '#'; at++) {
        char c = target.data[at];
        in_query = in_query || c == '?';
        if (!must_be_encoded(c, in_query)) {
            *out++ = c;
            continue;
        }
        *out++ = '%';
        *out++ = digits[(unsigned char)c >> 4];
        *out++ = digits[(unsigned char)c & 15];
        changed = true;
    }
    for (size_t i = at; i < target.len; i++)
        if (is_control(target.data[i]) || target.data[i] == ' ')
            return STR_NONE;
    return changed || at < target.len ? str_of(text, (size_t)(out - text)) : STR_NONE;
}

/* The head with another target, in the arena. Between the line's first space and its last one stands what was meant as the target. */
static enum status repair_request_line(struct str *head, struct arena *arena)
{
    struct str line = str_first(*head, (size_t)str_find_char(*head, '\r', 0));
    ptrdiff_t from = str_find_char(line, ' ', 0), to = str_find_last_char(line, ' ');
    if (from < 0 || to <= from)
        return STATUS_OK;
    struct str target = h1_repair_target(str_of(line.data + from + 1, (size_t)(to - from - 1)), arena);
    if (target.data == NULL)
        return STATUS_OK;
    struct str before = str_first(*head, (size_t)from + 1), behind = str_from_index(*head, (size_t)to);
    char *text = arena_alloc(arena, before.len + target.len + behind.len), *out = text;
    if (text == NULL)
        return STATUS_OUT_OF_MEMORY;
    out = mempcpy(out, before.data, before.len);
    out = mempcpy(out, target.data, target.len);
    out = mempcpy(out, behind.data, behind.len);
    *head = str_of(text, (size_t)(out - text));
    return STATUS_OK;
}

/* ---- names ---- */

/* A line that says a field by a name that is none, and nothing else. */
static bool has_odd_name(struct str line)
{
    ptrdiff_t colon = str_find_char(line, ':', 0);
    if (colon <= 0)
        return false;
    struct str name = str_first(line, (size_t)colon);
    for (size_t i = 0; i < name.len; i++)
        if (is_control(name.data[i]) || name.data[i] == ' ')
            return false;
    return !token_is_valid(name) && token_is_field_value(str_trim(str_from_index(line, (size_t)colon + 1)));
}

/* The head without such lines, in the arena. All its lines end with CRLF. */
static enum status drop_odd_names(struct str *head, struct arena *arena)
{
    char *text = arena_alloc(arena, head->len), *out = text;
    if (text == NULL)
        return STATUS_OUT_OF_MEMORY;
    for (size_t at = 0, next; at < head->len; at = next) {
        next = (size_t)str_find_char(*head, '\n', at) + 1;
        struct str line = str_of(head->data + at, next - at - 2);
        if (at == 0 || !has_odd_name(line))
            out = mempcpy(out, head->data + at, next - at);
    }
    *head = str_of(text, (size_t)(out - text));
    return STATUS_OK;
}

/* ---- heads ---- */

/* A line that is whole and has nothing between two spaces (HTTP/0.9 among them) stays wrong, whatever comes behind it. */
static bool may_have_target(struct str bytes)
{
    struct str rest = str_starts(bytes, S("\r\n")) ? str_from_index(bytes, 2) : bytes;
    ptrdiff_t end = str_find_char(rest, '\r', 0);
    struct str line = end >= 0 ? str_first(rest, (size_t)end) : rest;
    return end < 0 || str_find_last_char(line, ' ') > str_find_char(line, ' ', 0);
}

bool h1_is_repairable(struct str bytes, const struct h1_limits *limits, enum status strictly)
{
    if (bytes.len == 0 || strictly == STATUS_OK)
        return false;
    if (h1_has_bare_feed(bytes))
        return limits->bare_feeds;
    return (limits->repair_targets && strictly == STATUS_BAD_TARGET && may_have_target(bytes)) ||
           (limits->drop_odd_names && strictly == STATUS_BAD_FIELD);
}

enum status h1_parse_repaired(struct str bytes, const struct h1_limits *limits, struct request *request, struct h1_head *head,
                              enum status strictly)
{
    struct arena *arena = request->fields.arena;
    struct str repaired;
    size_t length;
    enum status status = h1_repair_line_ends(bytes, limits, arena, &repaired, &length);
    if (status == STATUS_OK && limits->repair_targets)
        status = repair_request_line(&repaired, arena);
    if (status == STATUS_OK && limits->drop_odd_names)
        status = drop_odd_names(&repaired, arena);
    if (status != STATUS_OK)
        return status;
    head->seen = 0;
    status = h1_parse_request(repaired, limits, request, head);
    head->length = length;
    return status != STATUS_AGAIN ? status : strictly;
}
