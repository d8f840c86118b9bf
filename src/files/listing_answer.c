/* A folder's content as a response. */
#include "files/listing.h"

#include "files/site.h"

static void answer_with(struct exchange *x, const struct site *site, struct text *text, bool json)
{
    struct str body = text->overflow ? STR_NONE : arena_str(&x->arena, text_str(text));
    if (body.data == NULL) {
        exchange_answer_status(x, 500, STATUS_OUT_OF_MEMORY);
        return;
    }
    exchange_answer(x, 200, STATUS_OK, json ? S("application/json") : S("text/html; charset=utf-8"), body);
    struct fields *fields = &x->response.fields;
    fields_add_id(fields, FIELD_VARY, S("Accept"));
    fields_add(fields, S("X-Content-Type-Options"), S("nosniff"));
    fields_add(fields, S("Content-Security-Policy"), S("default-src 'none'; style-src 'unsafe-inline'"));
    answer_add_fields(x, site, true);
}

void listing_answer(struct exchange *x, struct site *site, struct str name, int folder)
{
    struct listing listing;
    if (!listing_read(&site->tree, x->worker, name, folder, &x->arena, &listing)) {
        exchange_answer_status(x, 500, STATUS_FILE_ERROR);
        return;
    }
    listing.path = str_equal(name, S(".")) ? S("/") : arena_concat(&x->arena, S("/"), name);
    bool json = listing_wants_json(fields_joined(&exchange_request(x)->fields, FIELD_ACCEPT, &x->arena));
    struct text text;
    text_init(&text, LISTING_BYTES_MAX);
    if (json)
        listing_json(&listing, &text);
    else
        listing_html(&listing, &text);
    answer_with(x, site, &text, json);
    text_release(&text);
}
