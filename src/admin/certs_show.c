/* Rows of certificates as a table, and as JSON. */
#include <stdio.h>
#include <time.h>

#include "admin/certs_list.h"

#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define RED "\033[31m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"
#define SOON (14 * INT64_C(86400))
#define COLUMNS 6
#define CELL_MAX 160

/* ---- for people ---- */

struct cells {
    char texts[COLUMNS][CELL_MAX];
};

static void write_day(int64_t moment, char *out, size_t size)
{
    struct tm tm;
    time_t seconds = (time_t)moment;
    if (gmtime_r(&seconds, &tm) == NULL || strftime(out, size, "%Y-%m-%d", &tm) == 0)
        snprintf(out, size, "?");
}

static void write_moment(int64_t now, int64_t moment, char *out, size_t size)
{
    char day[16], span[CERTS_SPAN_SIZE];
    write_day(moment, day, sizeof(day));
    certs_span(now, moment, span);
    snprintf(out, size, "%s (%s)", day, span);
}

/* Texts come from CAs and from files that anyone may have written: nothing of them moves a cursor. Behind 0xc2 lie the control
 * characters of the upper half. */
static void make_plain(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i], next = i + 1 < len ? (unsigned char)text[i + 1] : 0;
        if (c < ' ' || c == 0x7f)
            text[i] = ' ';
        else if (c == 0xc2 && next >= 0x80 && next < 0xa0)
            text[i] = text[i + 1] = ' ';
    }
}

static void add_plain(struct text *out, struct str s)
{
    size_t begin = out->len;
    text_add(out, s);
    make_plain(out->data + begin, out->len - begin);
}

static void write_or_dash(struct str s, char *out)
{
    snprintf(out, CELL_MAX, "%.*s", STR_ARGS(s.len != 0 ? s : S("-")));
}

#define ISSUER_WIDTH 40

/* The common name alone, which is what people know an authority by; the organization where there is none. */
static struct str short_name(struct str name)
{
    static const struct str keys[] = {STR("CN="), STR("O=")};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct str rest = name, part;
        while (str_split(&rest, ',', &part))
            if (str_starts(part, keys[i]))
                return str_first(str_from_index(part, keys[i].len), ISSUER_WIDTH);
    }
    return str_first(name, ISSUER_WIDTH);
}

static void fill(const struct cert_row *row, int64_t now, struct cells *cells)
{
    struct str main = row->names.count != 0 ? row->names.items[0] : S("(no name)");
    char more[32] = "";
    if (row->names.count > 1)
        snprintf(more, sizeof(more), " (+%zu)", row->names.count - 1);
    snprintf(cells->texts[0], CELL_MAX, "%.*s%s", STR_ARGS(main), more);
    write_or_dash(short_name(row->issuer), cells->texts[1]);
    write_or_dash(row->key, cells->texts[2]);
    if (row->not_after != 0)
        write_moment(now, row->not_after, cells->texts[3], CELL_MAX);
    else
        snprintf(cells->texts[3], CELL_MAX, "%s", strcmp(row->state, "memory") == 0 ? "made at each start" : "not there yet");
    if (row->renew_at > now)
        write_moment(now, row->renew_at, cells->texts[4], CELL_MAX);
    else
        snprintf(cells->texts[4], CELL_MAX, "%s", row->renew_at != 0 ? "due" : "-");
    write_or_dash(row->source, cells->texts[5]);
    for (int i = 0; i < COLUMNS; i++)
        make_plain(cells->texts[i], strlen(cells->texts[i]));
}

static const char *color_of(const struct cert_row *row, int64_t now)
{
    if (row->not_after == 0)
        return strcmp(row->state, "memory") == 0 ? GREEN : YELLOW;
    if (row->not_after <= now)
        return RED;
    return row->not_after - now < SOON && row->renew_at == 0 ? YELLOW : GREEN;
}

static void show_cells(const struct cells *cells, const int *widths, const char *expiry_color, struct text *out)
{
    for (int i = 0; i < COLUMNS; i++) {
        bool last = i == COLUMNS - 1;
        const char *color = i == 3 ? expiry_color : "";
        text_addf(out, "%s%s%s", color, cells->texts[i], color[0] != '\0' ? PLAIN : "");
        for (size_t width = strlen(cells->texts[i]); !last && width < (size_t)widths[i] + 2; width++)
            text_add_char(out, ' ');
    }
    text_add_char(out, '\n');
}

static void show_problem(const struct cert_row *row, int64_t now, bool color, struct text *out)
{
    char span[CERTS_SPAN_SIZE];
    if (row->problem.len == 0)
        return;
    text_addf(out, "  %s", color ? RED : "");
    add_plain(out, row->problem);
    text_add(out, str_from(color ? PLAIN : ""));
    if (row->next_try > now) {
        certs_span(now, row->next_try, span);
        text_addf(out, "; the next try is %s", span);
    }
    text_add_char(out, '\n');
    if (row->hint.len == 0)
        return;
    text_add(out, S("  = "));
    add_plain(out, row->hint);
    text_add_char(out, '\n');
}

static void show_head(const struct cells *head, const int *widths, bool color, struct text *out)
{
    text_add(out, str_from(color ? BOLD : ""));
    show_cells(head, widths, "", out);
    text_add(out, str_from(color ? PLAIN : ""));
}

void certs_show(const struct cert_rows *rows, int64_t now, bool color, struct text *out)
{
    static const struct cells head = {{"NAME", "ISSUER", "KEY", "EXPIRES", "RENEWAL", "SOURCE"}};
    int widths[COLUMNS] = {0};
    struct cells cells;
    for (int i = 0; i < COLUMNS; i++)
        widths[i] = (int)strlen(head.texts[i]);
    for (size_t row = 0; row < rows->count; row++) {
        fill(&rows->items[row], now, &cells);
        for (int i = 0; i < COLUMNS; i++)
            widths[i] = (int)strlen(cells.texts[i]) > widths[i] ? (int)strlen(cells.texts[i]) : widths[i];
    }
    if (rows->count == 0) {
        text_add(out, S("there are no certificates, and none are asked for\n"));
        return;
    }
    show_head(&head, widths, color, out);
    for (size_t row = 0; row < rows->count; row++) {
        fill(&rows->items[row], now, &cells);
        show_cells(&cells, widths, color ? color_of(&rows->items[row], now) : "", out);
        show_problem(&rows->items[row], now, color, out);
    }
}

/* ---- for programs ---- */

static void add_string(struct text *out, const char *key, struct str s)
{
    text_addf(out, ",\"%s\":", key);
    if (s.len == 0) {
        text_add(out, S("null"));
        return;
    }
    text_add_char(out, '"');
    text_add_json(out, s);
    text_add_char(out, '"');
}

static void add_moment(struct text *out, const char *key, int64_t moment)
{
    struct tm tm;
    char text[32] = "";
    time_t seconds = (time_t)moment;
    if (moment != 0 && gmtime_r(&seconds, &tm) != NULL)
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    add_string(out, key, str_from(text));
}

static void add_row(const struct cert_row *row, int64_t now, struct text *out)
{
    text_add(out, S("{\"names\":["));
    for (size_t i = 0; i < row->names.count; i++) {
        text_add(out, i != 0 ? S(",\"") : S("\""));
        text_add_json(out, row->names.items[i]);
        text_add_char(out, '"');
    }
    text_add_char(out, ']');
    add_string(out, "issuer", row->issuer);
    add_string(out, "serial", row->serial);
    add_string(out, "keyType", row->key);
    add_moment(out, "notBefore", row->not_before);
    add_moment(out, "notAfter", row->not_after);
    text_addf(out, ",\"expired\":%s", row->not_after != 0 && row->not_after <= now ? "true" : "false");
    add_moment(out, "renewAt", row->renew_at);
    add_string(out, "source", row->source);
    add_string(out, "state", str_from(row->state));
    add_string(out, "problem", row->problem);
    add_string(out, "hint", row->hint);
    add_moment(out, "nextTry", row->next_try);
    text_add_char(out, '}');
}

void certs_show_json(const struct cert_rows *rows, int64_t now, struct text *out)
{
    text_add_char(out, '[');
    for (size_t i = 0; i < rows->count; i++) {
        if (i != 0)
            text_add_char(out, ',');
        add_row(&rows->items[i], now, out);
    }
    text_add(out, S("]\n"));
}
