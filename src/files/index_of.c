/* A folder's content in the forms that nginx gives it (autoindex), byte by byte: scripts read them. */
#include "files/listing.h"

#include <time.h>

#include "http/date.h"
#include "http/uri.h"

#define NAME_WIDTH 50      /* characters of a name that are shown */
#define CUT_WIDTH (NAME_WIDTH - 3)

/* ---- HTML ---- */

/* A byte that begins a character; all do where names are not UTF-8. */
static bool begins_character(char c, bool utf8)
{
    return !utf8 || ((unsigned char)c & 0xc0) != 0x80;
}

static size_t count_characters(struct str name, bool utf8)
{
    size_t count = 0;
    for (size_t i = 0; i < name.len; i++)
        count += begins_character(name.data[i], utf8);
    return count;
}

static struct str first_characters(struct str name, size_t max, bool utf8)
{
    size_t count = 0, i = 0;
    for (; i < name.len; i++) {
        count += begins_character(name.data[i], utf8);
        if (count > max)
            break;
    }
    return str_first(name, i);
}

static void add_spaces(struct text *out, size_t count)
{
    while (count-- > 0)
        text_add_char(out, ' ');
}

static void add_name(struct text *out, const struct listing_entry *entry, bool utf8)
{
    size_t width = count_characters(entry->name, utf8);
    if (width > NAME_WIDTH) {
        text_add_html(out, first_characters(entry->name, CUT_WIDTH, utf8));
        text_add(out, S("..&gt;</a>"));
        return;
    }
    text_add_html(out, entry->name);
    if (entry->folder && width < NAME_WIDTH) {
        text_add_char(out, '/');
        width++;
    }
    text_add(out, S("</a>"));
    add_spaces(out, NAME_WIDTH - width);
}

static void add_rounded(struct text *out, int64_t size)
{
    static const struct {
        int64_t unit, from;
        char letter;
    } scales[] = {{INT64_C(1) << 30, INT64_C(1) << 30, 'G'}, {1 << 20, 1 << 20, 'M'}, {1 << 10, 10000, 'K'}};
    for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++)
        if (size >= scales[i].from) {
            long long shown = (long long)(size / scales[i].unit + (size % scales[i].unit >= scales[i].unit / 2));
            text_addf(out, "%6lld%c", shown, scales[i].letter);
            return;
        }
    text_addf(out, " %6lld", (long long)size);
}

static void add_row(struct text *out, const struct listing_entry *entry, const struct index_of_form *form)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm parts = {.tm_mday = 1};
    time_t when = (time_t)entry->modified;
    if (form->local_time)
        localtime_r(&when, &parts);
    else
        gmtime_r(&when, &parts);
    text_add(out, S("<a href=\""));
    uri_add_component(out, entry->name);
    text_add(out, entry->folder ? S("/\">") : S("\">"));
    add_name(out, entry, form->utf8);
    text_addf(out, " %02d-%s-%d %02d:%02d ", parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
              parts.tm_min);
    if (entry->folder)
        add_spaces(out, form->exact_size ? 18 : 6);
    if (entry->folder)
        text_add_char(out, '-');
    else if (form->exact_size)
        text_addf(out, "%19lld", (long long)entry->size);
    else
        add_rounded(out, entry->size);
    text_add(out, S("\r\n"));
}

void index_of_html(const struct listing *listing, const struct index_of_form *form, struct text *out)
{
    text_add(out, S("<html>\r\n<head><title>Index of "));
    text_add_html(out, listing->path);
    text_add(out, S("</title></head>\r\n<body>\r\n<h1>Index of "));
    text_add_html(out, listing->path);
    text_add(out, S("</h1><hr><pre><a href=\"../\">../</a>\r\n"));
    for (size_t i = 0; i < listing->count; i++)
        add_row(out, &listing->entries[i], form);
    text_add(out, S("</pre><hr></body>\r\n</html>\r\n"));
}

/* ---- JSON and XML ---- */

static const char *kind_of(const struct listing_entry *entry)
{
    return entry->folder ? "directory" : entry->file ? "file" : "other";
}

/* Names are bytes: what is no UTF-8 stays as it is. */
static void add_json_text(struct text *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c == '"' || c == '\\')
            text_addf(out, "\\%c", c);
        else if (c == '\n' || c == '\r' || c == '\t' || c == '\b' || c == '\f')
            text_addf(out, "\\%c", "btn?fr"[c - '\b']);
        else if (c < 0x20)
            text_addf(out, "\\u%04X", c);
        else
            text_add_char(out, (char)c);
    }
}

void index_of_json(const struct listing *listing, struct text *out)
{
    text_add_char(out, '[');
    for (size_t i = 0; i < listing->count; i++) {
        const struct listing_entry *entry = &listing->entries[i];
        char date[HTTP_DATE_LEN];
        http_date_format(entry->modified, date);
        text_add(out, i != 0 ? S(",\r\n{ \"name\":\"") : S("\r\n{ \"name\":\""));
        add_json_text(out, entry->name);
        text_addf(out, "\", \"type\":\"%s\", \"mtime\":\"%.*s\"", kind_of(entry), HTTP_DATE_LEN, date);
        if (entry->file)
            text_addf(out, ", \"size\":%lld", (long long)entry->size);
        text_add(out, S(" }"));
    }
    text_add(out, S("\r\n]"));
}

void index_of_xml(const struct listing *listing, struct text *out)
{
    text_add(out, S("<?xml version=\"1.0\"?>\r\n<list>\r\n"));
    for (size_t i = 0; i < listing->count; i++) {
        const struct listing_entry *entry = &listing->entries[i];
        struct tm parts = {.tm_mday = 1};
        time_t when = (time_t)entry->modified;
        gmtime_r(&when, &parts);
        text_addf(out, "<%s mtime=\"%4d-%02d-%02dT%02d:%02d:%02dZ\"", kind_of(entry), parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
        if (entry->file)
            text_addf(out, " size=\"%lld\"", (long long)entry->size);
        text_add_char(out, '>');
        text_add_html(out, entry->name);
        text_addf(out, "</%s>\r\n", kind_of(entry));
    }
    text_add(out, S("</list>\r\n"));
}
