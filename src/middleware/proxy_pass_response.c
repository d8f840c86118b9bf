/* What is taken over of a server's response: its orders are obeyed, what is the server's own is hidden, and what names it is
 * rewritten. */
#include "exchange/location_answer.h"
#include "exchange/outgoing.h"
#include "exchange/variable.h"
#include "exchange/visit.h"
#include "http/uri.h"
#include "middleware/proxy_pass.h"

/* ---- X-Accel-Redirect ---- */

/* Decoded; false for one that leaves the site's root or cannot be read. */
static bool read_uri(struct exchange *x, struct str value, struct str *ret_uri, struct str *ret_query)
{
    ptrdiff_t mark = str_find_char(value, '?', 0);
    struct str path = mark >= 0 ? str_first(value, (size_t)mark) : value;
    *ret_query = mark >= 0 ? str_of(value.data + mark + 1, value.len - (size_t)mark - 1) : STR_NONE;
    if (!uri_decode(&x->arena, path, ret_uri) || ret_uri->len == 0 || memchr(ret_uri->data, 0, ret_uri->len) != NULL)
        return false;
    return !str_equal(*ret_uri, S("..")) && str_find(*ret_uri, S("/../")) < 0 && !str_ends(*ret_uri, S("/..")) && !str_starts(*ret_uri, S("../"));
}

static void ask_by_get(struct exchange *x)
{
    struct request *request = exchange_request(x);
    if (request->method == METHOD_HEAD)
        return;
    request->method = METHOD_GET;
    request->method_name = method_text(METHOD_GET);
}

static void carry_fields(struct exchange *x)
{
    FIELDS_FOREACH(&x->response.fields, field) {
        bool wanted = field->id == FIELD_CONTENT_TYPE || field->id == FIELD_SET_COOKIE || field->id == FIELD_CACHE_CONTROL ||
                      field->id == FIELD_ACCEPT_RANGES || str_equal_nocase(field->name, S("Content-Disposition")) ||
                      str_equal_nocase(field->name, S("Expires"));
        if (wanted)
            outgoing_carry(x, field);
    }
}

static enum verdict redirect_inside(struct exchange *x, struct str value)
{
    struct str uri, query;
    carry_fields(x);
    value = arena_str(&x->arena, value);
    if (value.len > 1 && value.data[0] == '@') {
        exchange_go_to_named(x, str_from_index(value, 1));
    } else if (read_uri(x, value, &uri, &query)) {
        ask_by_get(x);
        exchange_go_to(x, uri, query);
    } else {
        exchange_answer_status(x, 404, STATUS_NO_LOCATION);
        return VERDICT_ANSWER;
    }
    x->visit->former_status = 0;
    return VERDICT_REROUTE;
}

/* It holds for what the response leads to as well. */
static void obey_rate(const struct proxy_pass *pass, struct exchange *x)
{
    struct str rate = (pass->accel & ACCEL_LIMIT_RATE) != 0 ? fields_value_name(&x->response.fields, S("X-Accel-Limit-Rate")) : STR_NONE;
    uint64_t number;
    if (pass->limit_rate != NULL && str_to_u64(rate, &number))
        variable_set(pass->limit_rate, x, rate);
}

/* What is no size limits nothing. */
static void limit_server(const struct proxy_pass *pass, struct exchange *x)
{
    int64_t bytes;
    if (pass->server_rate != NULL && size_parse(text_template_text(pass->server_rate, x), &bytes) && bytes > 0)
        x->server_rate = bytes;
}

static void obey(const struct proxy_pass *pass, struct exchange *x)
{
    struct fields *fields = &x->response.fields;
    struct str charset = (pass->accel & ACCEL_CHARSET) != 0 ? fields_value_name(fields, S("X-Accel-Charset")) : STR_NONE;
    struct str type = charset.len != 0 ? fields_value(fields, FIELD_CONTENT_TYPE) : STR_NONE;
    if (type.len != 0 && !str_equal_nocase(charset, S("off")) && str_find(type, S("charset=")) < 0)
        fields_set(fields, FIELD_CONTENT_TYPE, arena_printf(&x->arena, "%.*s; charset=%.*s", STR_ARGS(type), STR_ARGS(charset)));
}

/* ---- fields ---- */

static bool is_hidden(const struct proxy_pass *pass, const struct field *field)
{
    if (field->id != FIELD_OTHER)
        return (pass->hidden_ids >> field->id & 1) != 0;
    for (unsigned i = 0; i < pass->hidden_count; i++)
        if (str_equal_nocase(pass->hidden[i], field->name))
            return true;
    return false;
}

/* What the server said stays as it is, for variables. */
static bool take_copy(struct exchange *x, struct fields *fields)
{
    struct field *items = arena_alloc(&x->arena, (fields->count + 4) * sizeof(*items));
    if (items == NULL)
        return false;
    memcpy(items, fields->items, fields->count * sizeof(*items));
    fields->items = items;
    fields->capacity = fields->count + 4;
    return true;
}

/* Of what can hold but once a server's first word counts. */
#define SINGLE_FIELDS (FIELD_BIT(CONTENT_TYPE) | FIELD_BIT(LAST_MODIFIED) | FIELD_BIT(ETAG) | FIELD_BIT(LOCATION))

static uint64_t single_bit(const struct field *field)
{
    if (field->id != FIELD_OTHER)
        return UINT64_C(1) << field->id & SINGLE_FIELDS;
    return str_equal_nocase(field->name, S("Expires")) ? UINT64_C(1) << FIELD_OTHER : 0;
}

static void hide(const struct proxy_pass *pass, struct fields *fields)
{
    uint64_t seen = 0;
    FIELDS_FOREACH(fields, field) {
        uint64_t single = single_bit(field);
        if (is_hidden(pass, field) || (seen & single) != 0)
            field->name.len = 0;
        seen |= single;
    }
    fields->present[0] &= ~pass->hidden_ids;
}

static void rewrite_location(const struct proxy_pass *pass, struct exchange *x, struct field *location)
{
    struct str text = location->value;
    if (text_rewrites_apply(&pass->redirects, REWRITE_START, x, &text))
        location->value = location_complete(x, text);
}

static void rewrite_refresh(const struct proxy_pass *pass, struct exchange *x, struct field *refresh)
{
    static const struct str start = STR("url=");
    size_t at = 0;
    while (at + start.len <= refresh->value.len && !str_equal_nocase(str_of(refresh->value.data + at, start.len), start))
        at++;
    if (at + start.len > refresh->value.len)
        return;
    struct str before = str_first(refresh->value, at + start.len), text = str_from_index(refresh->value, at + start.len);
    if (text_rewrites_apply(&pass->redirects, REWRITE_START, x, &text))
        refresh->value = arena_concat(&x->arena, before, text);
}

static void rewrite_redirects(const struct proxy_pass *pass, struct exchange *x)
{
    struct fields *fields = &x->response.fields;
    struct field *location = fields_find(fields, FIELD_LOCATION), *refresh = fields_find_name(fields, S("Refresh"));
    if (location != NULL)
        rewrite_location(pass, x, location);
    if (refresh != NULL)
        rewrite_refresh(pass, x, refresh);
}

static void rewrite_cookies(const struct proxy_pass *pass, struct exchange *x)
{
    if (!fields_has(&x->response.fields, FIELD_SET_COOKIE))
        return;
    FIELDS_FOREACH(&x->response.fields, field)
        if (field->id == FIELD_SET_COOKIE)
            field->value = proxy_pass_cookie(pass, x, field->value);
}

enum verdict proxy_pass_response(const struct proxy_pass *pass, struct exchange *x)
{
    struct fields *fields = &x->response.fields;
    if (x->answered_here)
        return VERDICT_NEXT;
    obey_rate(pass, x);
    if ((pass->accel & ACCEL_REDIRECT) != 0 && x->visit != NULL && x->visit->site != NULL) {
        struct str order = fields_value_name(fields, S("X-Accel-Redirect"));
        if (order.len != 0)
            return redirect_inside(x, order);
    }
    limit_server(pass, x);
    if (fields->count == 0 || !take_copy(x, fields))
        return VERDICT_NEXT;
    obey(pass, x);
    hide(pass, fields);
    if (pass->redirects.count != 0)
        rewrite_redirects(pass, x);
    if (pass->cookie_domains.count + pass->cookie_paths.count + pass->cookie_flag_count != 0)
        rewrite_cookies(pass, x);
    return VERDICT_NEXT;
}
