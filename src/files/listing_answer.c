/* A folder's content as a response. */
#include "files/listing.h"

#include "exchange/visit.h"
#include "files/site.h"
#include "http/uri.h"

#define CALLBACK_MAX 128

static bool hold_body(struct exchange *x, struct text *text, struct str *ret_body)
{
    *ret_body = text->overflow ? STR_NONE : arena_str(&x->arena, text_str(text));
    if (ret_body->data == NULL)
        exchange_answer_status(x, 500, STATUS_OUT_OF_MEMORY);
    return ret_body->data != NULL;
}

/* ---- our own forms ---- */

static void answer_auto(struct exchange *x, const struct file_site *site, const struct listing *listing, struct text *text)
{
    bool json = listing_wants_json(fields_joined(&exchange_request(x)->fields, FIELD_ACCEPT, &x->arena));
    struct str body;
    if (json)
        listing_json(listing, text);
    else
        listing_html(listing, text);
    if (!hold_body(x, text, &body))
        return;
    exchange_answer(x, 200, STATUS_OK, json ? S("application/json") : S("text/html; charset=utf-8"), body);
    struct fields *fields = &x->response.fields;
    fields_add_id(fields, FIELD_VARY, S("Accept"));
    fields_add(fields, S("X-Content-Type-Options"), S("nosniff"));
    fields_add(fields, S("Content-Security-Policy"), S("default-src 'none'; style-src 'unsafe-inline'"));
    answer_add_fields(x, site, true);
}

/* ---- nginx's forms ---- */

/* The function that a JSONP answer calls: what the query names. False: no name of a function. */
static bool find_callback(const struct exchange *x, struct str *ret_callback)
{
    struct str rest = x->stream.request.query, key, value;
    *ret_callback = STR_NONE;
    while (uri_next_pair(&rest, &key, &value)) {
        if (!str_equal_nocase(key, S("callback")))
            continue;
        *ret_callback = value;
        break;
    }
    for (size_t i = 0; i < ret_callback->len; i++) {
        char c = ret_callback->data[i];
        if (!ascii_alpha(c) && !ascii_digit(c) && c != '_' && c != '.')
            return false;
    }
    return ret_callback->len <= CALLBACK_MAX;
}

static struct str write_form(const struct file_site *site, const struct listing *listing, struct str callback, struct text *text)
{
    const struct files *files = site->options;
    struct index_of_form form = {
        .exact_size = files->browse_exact_size, .local_time = files->browse_local_time, .utf8 = files->browse_utf8};
    if (files->browse_format == BROWSE_HTML) {
        index_of_html(listing, &form, text);
        return S("text/html");
    }
    if (files->browse_format == BROWSE_XML) {
        index_of_xml(listing, text);
        return S("text/xml; charset=utf-8");
    }
    if (callback.len != 0)
        text_addf(text, "/* callback */\r\n%.*s(", STR_ARGS(callback));
    index_of_json(listing, text);
    if (callback.len != 0)
        text_add(text, S(");"));
    return callback.len != 0 ? S("application/javascript") : S("application/json");
}

static void answer_form(struct exchange *x, const struct file_site *site, const struct listing *listing, struct text *text)
{
    struct str callback = STR_NONE, body;
    if (site->options->browse_format == BROWSE_JSONP && !find_callback(x, &callback)) {
        exchange_answer_status(x, 400, STATUS_OK);
        return;
    }
    struct str type = write_form(site, listing, callback, text);
    if (!hold_body(x, text, &body))
        return;
    exchange_answer(x, 200, STATUS_OK, type, body);
    answer_add_fields(x, site, false);
}

void listing_answer(struct exchange *x, struct file_site *site, const struct spot *spot, struct str name, int folder)
{
    struct listing listing;
    struct text text;
    bool own = site->options->browse_format == BROWSE_AUTO;
    if (!listing_read(&site->finder, x, spot, name, folder, !own, &listing)) {
        exchange_answer_status(x, 500, STATUS_FILE_ERROR);
        return;
    }
    listing.path = spot->visiting ? x->visit->uri : arena_concat(&x->arena, S("/"), name);
    text_init(&text, LISTING_BYTES_MAX);
    if (own)
        answer_auto(x, site, &listing, &text);
    else
        answer_form(x, site, &listing, &text);
    text_release(&text);
}
