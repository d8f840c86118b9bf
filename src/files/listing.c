#include "files/listing.h"

#include <time.h>

#include "http/token.h"
#include "http/uri.h"

/* ---- HTML ---- */

static const struct str page_begin = STR(
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<style>\nbody { font: 15px/1.6 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }\n"
    "h1 { font-size: 1.2rem; overflow-wrap: anywhere }\ntable { width: 100%; border-collapse: collapse }\n"
    "td { padding: .25rem .5rem; border-top: 1px solid #8884 }\ntd:first-child { overflow-wrap: anywhere }\n"
    "td + td { text-align: right; white-space: nowrap; opacity: .7; font-variant-numeric: tabular-nums }\n"
    "a { text-decoration: none }\na:hover { text-decoration: underline }\n</style>\n<title>");

/* As a relative reference: "./" keeps "a:b" from being taken for a scheme. */
static void add_reference(struct text *out, struct str name)
{
    text_add(out, S("./"));
    uri_add_component(out, name);
}

static void add_size(struct text *out, int64_t size)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double shown = (double)size;
    unsigned unit = 0;
    while (shown >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        shown /= 1024;
        unit++;
    }
    text_addf(out, unit != 0 && shown < 10 ? "%.1f %s" : "%.0f %s", shown, units[unit]);
}

/* "2026-11-22T10:00:00Z", or for people "2026-11-22 10:00". */
static void add_date(struct text *out, int64_t seconds, bool for_people)
{
    struct tm parts;
    time_t when = (time_t)seconds;
    if (gmtime_r(&when, &parts) == NULL)
        return;
    text_addf(out, "%04d-%02d-%02d%c%02d:%02d", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, for_people ? ' ' : 'T',
              parts.tm_hour, parts.tm_min);
    if (!for_people)
        text_addf(out, ":%02dZ", parts.tm_sec);
}

static void add_row(struct text *out, const struct listing_entry *entry)
{
    struct str slash = entry->folder ? S("/") : STR_NONE;
    text_add(out, S("<tr><td><a href=\""));
    add_reference(out, entry->name);
    text_add(out, slash);
    text_add(out, S("\">"));
    text_add_html(out, entry->name);
    text_add(out, slash);
    text_add(out, S("</a></td><td>"));
    if (!entry->folder)
        add_size(out, entry->size);
    text_add(out, S("</td><td>"));
    add_date(out, entry->modified, true);
    text_add(out, S("</td></tr>\n"));
}

void listing_html(const struct listing *listing, struct text *out)
{
    text_add(out, page_begin);
    text_add_html(out, listing->path);
    text_add(out, S("</title>\n</head>\n<body>\n<h1>"));
    text_add_html(out, listing->path);
    text_add(out, S("</h1>\n<table>\n"));
    if (!str_equal(listing->path, S("/")))
        text_add(out, S("<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n"));
    for (size_t i = 0; i < listing->count; i++)
        add_row(out, &listing->entries[i]);
    text_add(out, S("</table>\n"));
    if (listing->cut)
        text_addf(out, "<p>Only %zu entries are shown.</p>\n", listing->count);
    text_add(out, S("</body>\n</html>\n"));
}

/* ---- JSON ---- */

void listing_json(const struct listing *listing, struct text *out)
{
    text_add_char(out, '[');
    for (size_t i = 0; i < listing->count; i++) {
        const struct listing_entry *entry = &listing->entries[i];
        text_add(out, i != 0 ? S(",\n{\"name\":\"") : S("\n{\"name\":\""));
        text_add_json(out, entry->name);
        text_add(out, entry->folder ? S("\",\"type\":\"directory\"") : S("\",\"type\":\"file\",\"size\":"));
        if (!entry->folder)
            text_add_u64(out, (uint64_t)entry->size);
        text_add(out, S(",\"modified\":\""));
        add_date(out, entry->modified, false);
        text_add(out, S("\"}"));
    }
    text_add(out, S("\n]\n"));
}

/* A type's quality in an Accept list; what is not named has none. */
static int quality_of(struct str accept, struct str type)
{
    struct str member, bare;
    while (token_next(&accept, &member)) {
        struct str quality = token_parameter(member, S("q"), &bare);
        if (str_equal_nocase(bare, type))
            return quality.data != NULL ? token_quality(quality) : 1000;
    }
    return -1;
}

bool listing_wants_json(struct str accept)
{
    return quality_of(accept, S("application/json")) > 0 &&
           quality_of(accept, S("application/json")) > quality_of(accept, S("text/html"));
}
