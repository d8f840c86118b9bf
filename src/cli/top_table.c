#include "cli/top_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>


/* ---- columns ---- */

enum column_kind {
    COLUMN_TEXT,
    COLUMN_RATE,         /* of the interval, per second */
    COLUMN_SHARE,        /* of the requests, per cent */
    COLUMN_MS,
    COLUMN_BYTES,        /* per second */
    COLUMN_COUNT,
    COLUMN_STATE,        /* text with a colour of its own */
};

struct column {
    const char *title, *member;
    enum column_kind kind;
    unsigned width;               /* 0: what is left; at most one in a view */
};

#define TRAFFIC \
    {"REQ/S", "requests", COLUMN_RATE, 8}, {"ERR%", "errors", COLUMN_SHARE, 6}, {"4XX%", "refused", COLUMN_SHARE, 6}, \
    {"P50", "p50", COLUMN_MS, 8}, {"P95", "p95", COLUMN_MS, 8}, {"P99", "p99", COLUMN_MS, 8}, \
    {"IN/S", "bytesIn", COLUMN_BYTES, 8}, {"OUT/S", "bytesOut", COLUMN_BYTES, 8}

static const struct column traffic_columns[] = {{"NAME", "name", COLUMN_TEXT, 0}, TRAFFIC};
static const struct column server_columns[] = {
    {"SERVER", "url", COLUMN_TEXT, 0}, {"SERVICE", "service", COLUMN_TEXT, 20}, {"STATE", "state", COLUMN_STATE, 11},
    {"ACTIVE", "active", COLUMN_COUNT, 7}, {"REQ/S", "requests", COLUMN_RATE, 8}, {"ERR%", "errors", COLUMN_SHARE, 6},
    {"P50", "p50", COLUMN_MS, 8}, {"P99", "p99", COLUMN_MS, 8}, {"WHY", "why", COLUMN_TEXT, 34}};
static const struct column exchange_columns[] = {
    {"AGE", "ageMs", COLUMN_MS, 9}, {"STEP", "step", COLUMN_TEXT, 15}, {"IN STEP", "stepAgeMs", COLUMN_MS, 9},
    {"METHOD", "method", COLUMN_TEXT, 8}, {"HOST", "host", COLUMN_TEXT, 22}, {"PATH", "path", COLUMN_TEXT, 0},
    {"CLIENT", "client", COLUMN_TEXT, 16}, {"SERVER", "server", COLUMN_TEXT, 24}};
static const struct column failure_columns[] = {{"COUNT", "count", COLUMN_COUNT, 9}, {"REASON", "reason", COLUMN_STATE, 26},
                                                {"WHAT", "text", COLUMN_TEXT, 44}, {"WHAT TO DO", "hint", COLUMN_TEXT, 0}};
static const struct column problem_columns[] = {{"SEVERITY", "severity", COLUMN_STATE, 9}, {"KIND", "kind", COLUMN_TEXT, 14},
                                                {"PROBLEM", "text", COLUMN_TEXT, 0}, {"WHAT TO DO", "hint", COLUMN_TEXT, 60}};

static const struct {
    const struct column *columns;
    unsigned count, sorted_by;
} views[TOP_VIEWS] = {
#define COLUMNS(array, by) {array, sizeof(array) / sizeof((array)[0]), by}
    [TOP_ENTRYPOINTS] = COLUMNS(traffic_columns, 1), [TOP_ROUTERS] = COLUMNS(traffic_columns, 1),
    [TOP_SERVICES] = COLUMNS(traffic_columns, 1),    [TOP_SERVERS] = COLUMNS(server_columns, 4),
    [TOP_EXCHANGES] = COLUMNS(exchange_columns, 0),  [TOP_FAILURES] = COLUMNS(failure_columns, 0),
    [TOP_PROBLEMS] = COLUMNS(problem_columns, 0)};

void top_choice_init(struct top_choice *choice)
{
    *choice = (struct top_choice){.view = TOP_SERVICES};
    for (unsigned view = 0; view < TOP_VIEWS; view++)
        choice->sort[view] = views[view].sorted_by;
}

unsigned top_column_count(enum top_view view)
{
    return views[view].count;
}

const char *top_column_title(enum top_view view, unsigned column)
{
    return views[view].columns[column].title;
}

/* ---- values ---- */

static double number_of(const json_t *row, const char *member)
{
    return json_number_value(json_object_get(row, member));
}

static double value_of(const json_t *row, const struct column *column, double interval)
{
    double value = number_of(row, column->member), requests;
    switch (column->kind) {
    case COLUMN_RATE:
    case COLUMN_BYTES:
        return interval > 0 ? value / interval : value;
    case COLUMN_SHARE:
        requests = number_of(row, "requests");
        return requests > 0 ? 100 * value / requests : 0;
    case COLUMN_TEXT:
    case COLUMN_STATE:
    case COLUMN_MS:
    case COLUMN_COUNT:
        break;
    }
    return value;
}

static bool is_text(const struct column *column)
{
    return column->kind == COLUMN_TEXT || column->kind == COLUMN_STATE;
}

static struct str text_member(const json_t *row, const char *member)
{
    const char *text = json_string_value(json_object_get(row, member));
    return text != NULL ? str_from(text) : STR_NONE;
}

static struct str scaled(struct arena *arena, double value, double step, const char *const *units)
{
    unsigned unit = 0;
    while (value >= step && units[unit + 1] != NULL) {
        value /= step;
        unit++;
    }
    return arena_printf(arena, value < 10 && unit != 0 ? "%.1f%s" : "%.0f%s", value, units[unit]);
}

static struct str cell_text(struct arena *arena, const json_t *row, const struct column *column, double interval)
{
    static const char *const bytes[] = {"B", "K", "M", "G", "T", NULL}, *const counts[] = {"", "k", "M", "G", NULL};
    double value = value_of(row, column, interval);
    if (is_text(column))
        return text_member(row, column->member);
    if (json_object_get(row, column->member) == NULL)
        return S("-");
    switch (column->kind) {
    case COLUMN_SHARE:
        return arena_printf(arena, value != 0 && value < 10 ? "%.1f" : "%.0f", value);
    case COLUMN_MS:
        return value >= 10000 ? arena_printf(arena, "%.1f s", value / 1000) : arena_printf(arena, value < 10 ? "%.2f" : "%.0f", value);
    case COLUMN_BYTES:
        return scaled(arena, value, 1024, bytes);
    case COLUMN_RATE:
        return value < 10 && value != floor(value) ? arena_printf(arena, "%.1f", value) : scaled(arena, value, 10000, counts);
    case COLUMN_COUNT:
    case COLUMN_TEXT:
    case COLUMN_STATE:
        break;
    }
    return arena_printf(arena, "%.0f", value);
}

static enum top_style style_of(const json_t *row, const struct column *column, struct str text)
{
    static const char *const good[] = {"ready"}, *const bad[] = {"down", "unhealthy", "error"};
    if (column->kind == COLUMN_SHARE && number_of(row, column->member) > 0)
        return strcmp(column->member, "errors") == 0 ? TOP_BAD : TOP_WARNING;
    if (column->kind != COLUMN_STATE)
        return json_object_get(row, column->member) == NULL ? TOP_DIM : TOP_PLAIN;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (str_equal(text, str_from(good[i])))
            return TOP_GOOD;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (str_equal(text, str_from(bad[i])))
            return TOP_BAD;
    return TOP_WARNING;
}

/* ---- text in columns ---- */

/* Characters, each taken to be one column wide; control characters must not reach a terminal. */
static struct str fitted(struct arena *arena, struct str text, unsigned width, bool right)
{
    char *out = arena_alloc(arena, text.len + width + 4);
    size_t len = 0;
    unsigned columns = 0;
    for (size_t i = 0; i < text.len; i++)
        columns += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    unsigned pad = columns < width ? width - columns : 0, room = columns > width ? width - 1 : columns;
    if (right)
        for (; pad != 0; pad--)
            out[len++] = ' ';
    for (size_t i = 0, seen = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        seen += (c & 0xc0) != 0x80;
        if (seen > room)
            break;
        out[len++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    if (columns > width && width != 0) {
        memcpy(out + len, "\u2026", 3);
        len += 3;
    }
    for (; pad != 0; pad--)
        out[len++] = ' ';
    return str_of(out, len);
}

static void add_piece(struct top_line *line, enum top_style style, struct str text)
{
    if (line->count < TOP_PIECES_MAX)
        line->pieces[line->count++] = (struct top_piece){style, text};
}

static unsigned flexible_width(enum top_view view, unsigned width)
{
    unsigned fixed = 0;
    for (unsigned i = 0; i < views[view].count; i++)
        fixed += views[view].columns[i].width + (i != 0);
    return width > fixed + 12 ? width - fixed : 12;
}

/* ---- rows ---- */

struct sorting {
    const struct column *column;
    double interval;
    bool reverse;
};

static int compare(const void *a, const void *b, void *context)
{
    const struct sorting *sorting = context;
    const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
    int order;
    if (is_text(sorting->column)) {
        order = str_compare(text_member(left, sorting->column->member), text_member(right, sorting->column->member));
    } else {
        double difference = value_of(right, sorting->column, sorting->interval) - value_of(left, sorting->column, sorting->interval);
        order = (difference > 0) - (difference < 0);
    }
    if (sorting->reverse)
        order = -order;
    return order != 0 ? order : str_compare(text_member(left, "name"), text_member(right, "name"));
}

static bool has_text(const json_t *row, const struct top_choice *choice)
{
    if (choice->filter[0] == '\0')
        return true;
    for (unsigned i = 0; i < views[choice->view].count; i++) {
        const struct column *column = &views[choice->view].columns[i];
        const char *text = json_string_value(json_object_get(row, column->member));
        if (is_text(column) && text != NULL && strcasestr(text, choice->filter) != NULL)
            return true;
    }
    return false;
}

static unsigned choose_rows(const struct top_data *data, const struct top_choice *choice, double interval, json_t **rows)
{
    struct sorting sorting = {.column = &views[choice->view].columns[choice->sort[choice->view]],
                              .interval = interval,
                              .reverse = choice->reverse[choice->view]};
    unsigned count = 0;
    size_t index;
    json_t *row;
    json_array_foreach(data->rows[choice->view], index, row)
        if (json_is_object(row) && has_text(row, choice))
            rows[count++] = row;
    qsort_r(rows, count, sizeof(*rows), compare, &sorting);
    return count;
}

/* The mark stays on its row although others move. */
static void settle_choice(struct top_choice *choice, json_t *const *rows, unsigned count, unsigned room)
{
    for (unsigned i = 0; i < count; i++)
        if (choice->marked[0] != '\0' && str_equal(text_member(rows[i], "name"), str_from(choice->marked)))
            choice->selected = i;
    if (choice->selected >= count)
        choice->selected = count != 0 ? count - 1 : 0;
    if (choice->selected < choice->first)
        choice->first = choice->selected;
    if (room != 0 && choice->selected >= choice->first + room)
        choice->first = choice->selected - room + 1;
    if (room != 0 && choice->first + room > count)
        choice->first = count > room ? count - room : 0;
}

/* ---- lines ---- */

static struct str how_long(double seconds, struct arena *arena)
{
    if (seconds < 60)
        return arena_printf(arena, "%.0f s", seconds);
    if (seconds < 3600)
        return arena_printf(arena, "%d min", (int)seconds / 60);
    return seconds < 48 * 3600 ? arena_printf(arena, "%.1f h", seconds / 3600) : arena_printf(arena, "%.1f days", seconds / 86400);
}

static void add_process(struct top_lines *lines, const struct top_data *data)
{
    const json_t *overview = data->overview, *counts = json_object_get(overview, "counts"), *servers = json_object_get(counts, "servers");
    struct top_line *line = &lines->items[lines->count++];
    double problems = number_of(overview, "problems");
    add_piece(line, TOP_BOLD, arena_printf(&lines->arena, "portico %.*s", STR_ARGS(text_member(overview, "version"))));
    add_piece(line, TOP_PLAIN, arena_printf(&lines->arena, " on %.*s, up %.*s, configuration %.0f, ", STR_ARGS(text_member(overview, "host")),
                                            STR_ARGS(how_long(number_of(overview, "uptimeSeconds"), &lines->arena)),
                                            number_of(overview, "generation")));
    add_piece(line, TOP_PLAIN, arena_printf(&lines->arena, "%.0f routers, servers %.0f of %.0f up, ", number_of(counts, "routers"),
                                            number_of(servers, "up"), number_of(servers, "total")));
    add_piece(line, problems > 0 ? TOP_BAD : TOP_GOOD, arena_printf(&lines->arena, "%.0f problem%s", problems, problems == 1 ? "" : "s"));
}

static void add_total(struct top_lines *lines, const struct top_data *data, double interval)
{
    static const struct column columns[] = {TRAFFIC};
    struct top_line *line = &lines->items[lines->count++];
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        struct str text = cell_text(&lines->arena, data->total, &columns[i], interval);
        add_piece(line, style_of(data->total, &columns[i], text),
                  arena_printf(&lines->arena, "%s%s %.*s", i != 0 ? "  " : "", columns[i].title, STR_ARGS(text)));
    }
}

static void add_titles(struct top_lines *lines, const struct top_choice *choice, unsigned width)
{
    enum top_view view = choice->view;
    struct top_line *line = &lines->items[lines->count++];
    for (unsigned i = 0; i < views[view].count; i++) {
        const struct column *column = &views[view].columns[i];
        unsigned own = column->width != 0 ? column->width : flexible_width(view, width);
        struct str title = arena_printf(&lines->arena, "%s%s", column->title,
                                        i != choice->sort[view] ? "" : choice->reverse[view] ? "\u25b4" : "\u25be");
        struct str cell = fitted(&lines->arena, title, own, !is_text(column));
        add_piece(line, TOP_HEAD, i != 0 ? arena_concat(&lines->arena, S(" "), cell) : cell);
    }
}

static void add_row(struct top_lines *lines, const json_t *row, const struct top_choice *choice, unsigned width, double interval)
{
    enum top_view view = choice->view;
    struct top_line *line = &lines->items[lines->count++];
    for (unsigned i = 0; i < views[view].count; i++) {
        const struct column *column = &views[view].columns[i];
        unsigned own = column->width != 0 ? column->width : flexible_width(view, width);
        struct str text = cell_text(&lines->arena, row, column, interval);
        struct str cell = fitted(&lines->arena, text, own, !is_text(column));
        add_piece(line, style_of(row, column, text), i != 0 ? arena_concat(&lines->arena, S(" "), cell) : cell);
    }
}

void top_table_lines(const struct top_data *data, struct top_choice *choice, unsigned width, unsigned height,
                     struct top_lines *ret_lines, json_t **ret_selected)
{
    double interval = number_of(data->total, "interval");
    size_t known = json_array_size(data->rows[choice->view]);
    arena_init(&ret_lines->arena, ARENA_UNLIMITED);
    json_t **rows = arena_array(&ret_lines->arena, json_t *, known + 1);
    unsigned count = choose_rows(data, choice, interval, rows);
    unsigned room = height > 3 ? height - 3 : height != 0 ? 1 : 0;
    settle_choice(choice, rows, count, room);
    ret_lines->items = arena_zalloc(&ret_lines->arena, (count + 4) * sizeof(struct top_line));
    ret_lines->count = 0;
    add_process(ret_lines, data);
    add_total(ret_lines, data, interval);
    add_titles(ret_lines, choice, width);
    for (unsigned i = choice->first; i < count && (room == 0 || i < choice->first + room); i++) {
        add_row(ret_lines, rows[i], choice, width, interval);
        ret_lines->items[ret_lines->count - 1].selected = room != 0 && i == choice->selected;
    }
    *ret_selected = count != 0 ? rows[choice->selected] : NULL;
}

void top_lines_release(struct top_lines *lines)
{
    arena_release(&lines->arena);
}
