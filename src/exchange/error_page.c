#include "exchange/error_page.h"

#include "base/json.h"
#include "exchange/graph.h"
#include "http/token.h"

#define PAGE_MAX ((size_t)64 << 10)

enum form { FORM_TEXT, FORM_HTML, FORM_JSON };

/* ---- what the client asks for (RFC 9110 12.5.1) ---- */

static enum form form_of(struct str type)
{
    if (str_equal_nocase(type, S("text/html")) || str_equal_nocase(type, S("application/xhtml+xml")))
        return FORM_HTML;
    return str_equal_nocase(type, S("application/json")) || str_equal_nocase(type, S("application/problem+json")) ? FORM_JSON : FORM_TEXT;
}

/* Types that are named count, not wildcards: who takes anything gets the plain words. */
static enum form choose_form(const struct exchange *x)
{
    struct str rest = fields_value(&x->stream.request.fields, FIELD_ACCEPT), member, type;
    if (str_equal(rest, S("*/*")))
        return FORM_TEXT;
    enum form best = FORM_TEXT;
    int best_quality = 0;
    while (token_next(&rest, &member)) {
        int quality = token_quality(token_parameter(member, S("q"), &type));
        type = str_trim(type);
        enum form form = form_of(type);
        if (quality > best_quality && (form != FORM_TEXT || str_equal_nocase(type, S("text/plain")))) {
            best = form;
            best_quality = quality;
        }
    }
    return best;
}

/* ---- words ---- */

/* Traefik's words where it has some, so that scripts which look for them go on working. */
static struct str plain_text(struct exchange *x, int status)
{
    if (status == 404)
        return S("404 page not found\n");
    if (status == 503 && x->failure == STATUS_NO_READY_SERVER)
        return S("no available server\n");
    if (status == 503 && x->failure == STATUS_MAINTENANCE)
        return S("503 Service Unavailable: under maintenance\n");
    struct str page = http_status_page(status);
    return page.len != 0 || status < 100 || status > 999 ? page : arena_printf(&x->arena, "%d \n", status);
}

/* For somebody who only wanted to see a page. */
static const char *visitor_text(const struct exchange *x, int status)
{
    if (x->failure == STATUS_MAINTENANCE)
        return "This service is under maintenance. Please come back in a little while.";
    switch (status) {
    case 401:
        return "You need to sign in to see this page.";
    case 403:
        return "You are not allowed to see this page.";
    case 404:
        return "There is nothing at this address.";
    case 408:
        return "The request took too long to arrive.";
    case 413:
        return "What you sent is larger than this site accepts.";
    case 414:
    case 431:
        return "The request is larger than this site accepts. Clearing this site's cookies may help.";
    case 429:
        return "Too many requests. Please wait a moment, then try again.";
    case 500:
    case 502:
        return "The application behind this address did not answer as it should. Please try again in a moment.";
    case 503:
        return "The application is not available right now. Please try again in a moment.";
    case 504:
        return "The application behind this address took too long to answer. Please try again in a moment.";
    default:
        return "";
    }
}

/* ---- HTML ---- */

static const char page_style[] =
    "<style>:root{color-scheme:light dark}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;font:16px/1.55 system-ui,sans-serif;background:#f6f7f9;color:#1b1f26}"
    "main{max-width:44rem;padding:2.5rem 1.5rem;box-sizing:border-box;width:100%}"
    "h1{font-size:1.6rem;line-height:1.25;margin:0 0 .75rem}h1 b{color:#8a93a3;font-weight:600;margin-right:.5rem}"
    "p{margin:0 0 1rem}small,dt{color:#5d6675}code,dd{font-family:ui-monospace,monospace;font-size:.875rem}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.4rem 1.25rem;margin:1.75rem 0}"
    "dt{font-size:.875rem}dd{margin:0;overflow-wrap:anywhere}"
    ".advice{font-family:inherit;font-size:1rem;border-left:3px solid #d98b00;padding-left:.75rem}"
    "@media(max-width:34rem){dl{grid-template-columns:1fr}dd{margin-bottom:.5rem}}"
    "@media(prefers-color-scheme:dark){body{background:#12151a;color:#e6e9ee}small,dt,h1 b{color:#98a2b3}}</style>";

static void add_facts(struct exchange *x, struct text *out)
{
    struct error_fact facts[ERROR_FACTS_MAX];
    unsigned count = error_detail(x, facts);
    text_add(out, S("<dl>"));
    for (unsigned i = 0; i < count; i++) {
        text_addf(out, "<dt>%s</dt><dd%s>", facts[i].name, facts[i].advice ? " class=advice" : "");
        text_add_html(out, facts[i].value);
        text_add(out, S("</dd>\n"));
    }
    text_add(out, S("</dl>\n<p><small>Shown to clients on this machine alone (errorPages: detailed).</small></p>\n"));
}

static void write_html(struct exchange *x, int status, struct text *out)
{
    struct str title = http_reason(status);
    text_addf(out, "<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">"
                   "<title>%d %.*s</title>\n%s\n<main>\n<h1><b>%d</b>%.*s</h1>\n<p>%s</p>\n",
              status, STR_ARGS(title), page_style, status, STR_ARGS(title), visitor_text(x, status));
    if (error_detail_is_for(x)) {
        add_facts(x, out);
    } else if (x->request_id.len != 0) {
        text_add(out, S("<p><small>Request ID: <code>"));
        text_add_html(out, x->request_id);
        text_add(out, S("</code></small></p>\n"));
    }
    text_add(out, S("</main>\n</html>\n"));
}

/* ---- JSON, in the members of RFC 9457 ---- */

static void write_json(struct exchange *x, int status, struct text *out)
{
    struct json json = {.out = out};
    json_open_object(&json);
    json_member_int(&json, "status", status);
    json_member_str(&json, "title", http_reason(status));
    if (x->request_id.len != 0)
        json_member_str(&json, "requestId", x->request_id);
    if (error_detail_is_for(x)) {
        struct error_fact facts[ERROR_FACTS_MAX];
        unsigned count = error_detail(x, facts);
        json_member_text(&json, "reason", x->failure != STATUS_OK ? status_reason(x->failure) : NULL);
        json_member_array(&json, "facts");
        for (unsigned i = 0; i < count; i++) {
            json_open_object(&json);
            json_member_text(&json, "name", facts[i].name);
            json_member_str(&json, "value", facts[i].value);
            json_end(&json);
        }
        json_end(&json);
    }
    json_end(&json);
    text_add_char(out, '\n');
}

static struct str accepted_json(const struct exchange *x)
{
    bool problem = str_find(fields_value(&x->stream.request.fields, FIELD_ACCEPT), S("application/problem+json")) >= 0;
    return problem ? S("application/problem+json") : S("application/json");
}

int error_page_style(const struct exchange *x)
{
    int own = x->router != NULL ? x->router->error_pages : ERROR_PAGES_INHERIT;
    return own != ERROR_PAGES_INHERIT ? own : x->entry->error_pages;
}

struct error_page error_page_make(struct exchange *x, int status)
{
    enum form form = FORM_TEXT;
    int style = error_page_style(x);
    if (style == ERROR_PAGES_CLASSIC)
        return error_classic_page(x, status);
    if (fields_has(&x->stream.request.fields, FIELD_ACCEPT) && style != ERROR_PAGES_OFF)
        form = choose_form(x);
    if (form == FORM_TEXT)
        return (struct error_page){.type = STR("text/plain; charset=utf-8"), .body = plain_text(x, status), .plain = true};
    struct text out;
    text_init(&out, PAGE_MAX);
    if (form == FORM_HTML)
        write_html(x, status, &out);
    else
        write_json(x, status, &out);
    struct error_page page = {.type = form == FORM_HTML ? S("text/html; charset=utf-8") : accepted_json(x),
                              .body = arena_str(&x->arena, text_str(&out)),
                              .styled = form == FORM_HTML};
    text_release(&out);
    return page;
}
