/* Shows a diag to people and to programs. The line itself is shown as it is, but nothing in it can command
 * a terminal: control characters become '?', and a long line is cut to a window around its place. */
#include "base/diag.h"

#include <stdio.h>

#define TAB_CELLS 4
#define WINDOW_CELLS 100   /* of a line that are shown */
#define WINDOW_BEFORE 40   /* of these before the place, when the line is longer */

static const char *const severity_names[] = {
    [DIAG_ERROR] = "error", [DIAG_WARNING] = "warning", [DIAG_NOTE] = "note"};
static const char *const severity_colors[] = {
    [DIAG_ERROR] = "\033[1;31m", [DIAG_WARNING] = "\033[1;35m", [DIAG_NOTE] = "\033[1;36m"};

struct renderer {
    struct text *out;
    bool color;
};

static void paint(struct renderer *r, const char *sequence)
{
    if (r->color)
        text_add(r->out, str_from(sequence));
}

static void add_clean(struct text *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        text_add_char(out, c < 0x20 || c == 0x7f ? '?' : (char)c);
    }
}

static void add_place(struct text *out, struct span span)
{
    add_clean(out, span.source->name);
    if (span.line > 0 && !span.source->word)
        text_addf(out, ":%u:%u", span.line, span.column);
}

void diag_render_place(struct span span, struct text *out)
{
    if (span.source != NULL)
        add_place(out, span);
}

/* Without its line end; false when the source has no such line. */
static bool find_line(struct span span, struct str *ret_line)
{
    if (span.source == NULL || span.line == 0)
        return false;
    struct str rest = span.source->content;
    for (uint32_t number = 1; str_split(&rest, '\n', ret_line); number++) {
        if (number == span.line) {
            if (str_ends(*ret_line, S("\r")))
                ret_line->len--;
            return true;
        }
    }
    return false;
}

/* Columns that a byte takes on the screen: bytes that continue a UTF-8 character take none. */
static size_t cells(char c)
{
    if (c == '\t')
        return TAB_CELLS;
    return ((unsigned char)c & 0xc0) == 0x80 ? 0 : 1;
}

static size_t cells_of(struct str s)
{
    size_t sum = 0;
    for (size_t i = 0; i < s.len; i++)
        sum += cells(s.data[i]);
    return sum;
}

/* Moves a cut back to where a character begins. */
static size_t character_start(struct str line, size_t at)
{
    while (at > 0 && at < line.len && cells(line.data[at]) == 0)
        at--;
    return at;
}

struct window {
    size_t from, to;   /* bytes of the line that are shown */
};

static struct window window_around(struct str line, size_t place)
{
    if (cells_of(line) <= WINDOW_CELLS)
        return (struct window){0, line.len};
    size_t from = place > WINDOW_BEFORE ? place - WINDOW_BEFORE : 0;
    size_t to = from + WINDOW_CELLS < line.len ? from + WINDOW_CELLS : line.len;
    if (to == line.len && line.len > WINDOW_CELLS && line.len - WINDOW_CELLS < from)
        from = line.len - WINDOW_CELLS;
    return (struct window){character_start(line, from), character_start(line, to)};
}

static void add_repeated(struct text *out, char c, size_t count)
{
    while (count-- > 0)
        text_add_char(out, c);
}

static void add_line_text(struct text *out, struct str part)
{
    for (size_t i = 0; i < part.len; i++) {
        if (part.data[i] == '\t')
            add_repeated(out, ' ', TAB_CELLS);
        else
            add_clean(out, str_of(part.data + i, 1));
    }
}

static void add_caret(struct renderer *r, struct str line, struct window window,
                      const struct diag_item *item)
{
    size_t place = item->span.column - 1;
    if (place > window.to)
        place = window.to;
    size_t end = place + item->span.length < window.to ? place + item->span.length : window.to;
    struct str before = str_of(line.data + window.from, place - window.from);
    add_repeated(r->out, ' ', cells_of(before) + (window.from > 0 ? 3 : 0));
    paint(r, "\033[1;32m");
    text_add_char(r->out, '^');
    size_t width = cells_of(str_of(line.data + place, end - place));
    add_repeated(r->out, '~', width > 1 ? width - 1 : 0);
    if (!str_empty(item->hint)) {
        text_add_char(r->out, ' ');
        add_clean(r->out, item->hint);
    }
    paint(r, "\033[0m");
    text_add_char(r->out, '\n');
}

/* The line and the caret below it; gives the width of the margin before the bar. */
static size_t add_excerpt(struct renderer *r, const struct diag_item *item, struct str line)
{
    char number[16] = "";
    if (!item->span.source->word)
        snprintf(number, sizeof(number), "%u", item->span.line);
    size_t margin = strlen(number) + 2;
    size_t place = item->span.column > 0 ? item->span.column - 1 : 0;
    struct window window = window_around(line, place < line.len ? place : line.len);
    text_addf(r->out, " %s | %s", number, window.from > 0 ? "..." : "");
    add_line_text(r->out, str_of(line.data + window.from, window.to - window.from));
    text_add(r->out, window.to < line.len ? S("...\n") : S("\n"));
    add_repeated(r->out, ' ', margin);
    text_add(r->out, S("| "));
    add_caret(r, line, window, item);
    return margin;
}

static void add_detail(struct renderer *r, size_t margin, struct str what, struct span place)
{
    add_repeated(r->out, ' ', margin);
    text_add(r->out, S("= "));
    add_clean(r->out, what);
    if (place.source != NULL) {
        text_add(r->out, S(" ("));
        add_place(r->out, place);
        text_add_char(r->out, ')');
    }
    text_add_char(r->out, '\n');
}

static void add_item(struct renderer *r, const struct diag_item *item)
{
    paint(r, "\033[1m");
    if (item->span.source != NULL) {
        add_place(r->out, item->span);
        text_add(r->out, S(": "));
    }
    paint(r, severity_colors[item->severity]);
    text_addf(r->out, "%s: ", severity_names[item->severity]);
    paint(r, "\033[0m\033[1m");
    add_clean(r->out, item->message);
    paint(r, "\033[0m");
    text_add_char(r->out, '\n');

    struct str line;
    size_t margin = 4;
    if (find_line(item->span, &line))
        margin = add_excerpt(r, item, line);
    else if (!str_empty(item->hint))
        add_detail(r, margin, item->hint, SPAN_NONE);
    if (str_empty(item->context))
        return;
    /* A flag or label need not be told where it is itself. */
    bool same_word = item->span.source != NULL && item->span.source->word &&
                     item->context_span.source == item->span.source;
    add_detail(r, margin, item->context, same_word ? SPAN_NONE : item->context_span);
}

void diag_render(const struct diag *diag, bool color, struct text *out)
{
    struct renderer r = {.out = out, .color = color};
    size_t shown[] = {[DIAG_ERROR] = 0, [DIAG_WARNING] = 0, [DIAG_NOTE] = 0};
    for (size_t i = 0; i < diag->count; i++) {
        add_item(&r, &diag->items[i]);
        shown[diag->items[i].severity]++;
    }
    if (diag->errors > shown[DIAG_ERROR])
        text_addf(out, "and %zu more errors\n", diag->errors - shown[DIAG_ERROR]);
    if (diag->warnings > shown[DIAG_WARNING])
        text_addf(out, "and %zu more warnings\n", diag->warnings - shown[DIAG_WARNING]);
}

void diag_render_line(const struct diag_item *item, struct text *out)
{
    if (item->span.source != NULL) {
        add_place(out, item->span);
        text_add(out, S(": "));
    }
    add_clean(out, item->message);
    if (!str_empty(item->hint)) {
        text_add(out, S(", "));
        add_clean(out, item->hint);
    }
    if (!str_empty(item->context)) {
        text_add(out, S(" ("));
        add_clean(out, item->context);
        text_add_char(out, ')');
    }
}

static void add_member(struct text *out, const char *name, struct str value)
{
    text_addf(out, ",\"%s\":\"", name);
    text_add_json(out, value);
    text_add_char(out, '"');
}

void diag_render_json(const struct diag *diag, struct text *out)
{
    text_add_char(out, '[');
    for (size_t i = 0; i < diag->count; i++) {
        const struct diag_item *item = &diag->items[i];
        text_addf(out, "%s{\"severity\":\"%s\"", i > 0 ? "," : "", severity_names[item->severity]);
        add_member(out, "file", item->span.source != NULL ? item->span.source->name : STR_NONE);
        text_addf(out, ",\"line\":%u,\"column\":%u,\"length\":%u", item->span.line,
                  item->span.column, item->span.length);
        add_member(out, "message", item->message);
        add_member(out, "hint", item->hint);
        add_member(out, "context", item->context);
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}
