/* What the authentication service's answer means for the request, or for the client. */
#include "http/token.h"
#include "middleware/forward_auth.h"

/* ---- it may pass ---- */

static bool copy_field(struct exchange *x, const struct field *field)
{
    struct fields *fields = &exchange_request(x)->fields;
    return fields_add(fields, arena_str(&x->arena, field->name), arena_str(&x->arena, field->value));
}

/* The client's own fields of these names are forgeries, also when the service says nothing. */
static void replace_listed(struct exchange *x, const struct strs *names, const struct fields *said)
{
    for (size_t i = 0; i < names->count; i++) {
        fields_remove_name(&exchange_request(x)->fields, names->items[i]);
        FIELDS_FOREACH(said, field)
            if (str_equal_nocase(field->name, names->items[i]))
                copy_field(x, field);
    }
}

/* "x-auth-user" as "X-Auth-User": what expressions for Traefik were written against. */
static struct str canonical(struct exchange *x, struct str name)
{
    char *text = arena_alloc(&x->arena, name.len);
    if (text == NULL)
        return name;
    for (size_t i = 0; i < name.len; i++) {
        char lower = ascii_lower(name.data[i]);
        text[i] = (i == 0 || name.data[i - 1] == '-') && ascii_alpha(lower) ? (char)(lower & ~0x20) : lower;
    }
    return str_of(text, name.len);
}

static void replace_matching(struct exchange *x, const struct regex *regex, const struct fields *said)
{
    FIELDS_FOREACH(&exchange_request(x)->fields, field)
        if (regex_match(regex, canonical(x, field->name)))
            field->name.len = 0;
    FIELDS_FOREACH(said, field)
        if (regex_match(regex, canonical(x, field->name)))
            copy_field(x, field);
}

static struct str cookie_name(struct str set_cookie)
{
    ptrdiff_t equals = str_find_char(set_cookie, '=', 0);
    return str_trim(equals >= 0 ? str_first(set_cookie, (size_t)equals) : set_cookie);
}

static bool has_name(const struct strs *names, struct str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_equal(names->items[i], name))
            return true;
    return false;
}

static void keep_cookies(struct forward_auth_own *own, const struct forward_auth *options, const struct fields *said)
{
    struct arena *arena = &own->exchange->arena;
    own->cookies.items = arena_array(arena, struct str, said->count);
    FIELDS_FOREACH(said, field)
        if (own->cookies.items != NULL && field->id == FIELD_SET_COOKIE &&
            has_name(&options->add_auth_cookies_to_response, cookie_name(field->value)))
            own->cookies.items[own->cookies.count++] = arena_str(arena, field->value);
}

static void let_pass(struct forward_auth_own *own, const struct response *said)
{
    struct exchange *x = own->exchange;
    const struct forward_auth *options = own->middleware->options;
    const struct forward_auth_state *state = own->middleware->state;
    own->passes = true;
    replace_listed(x, &options->auth_response_headers, &said->fields);
    if (state->response_fields != NULL)
        replace_matching(x, state->response_fields, &said->fields);
    if (options->add_auth_cookies_to_response.count != 0)
        keep_cookies(own, options, &said->fields);
}

void forward_auth_add_cookies(struct exchange *x, struct forward_auth_own *own)
{
    if (!own->passes || own->cookies.count == 0)
        return;
    const struct forward_auth *options = own->middleware->options;
    struct fields *fields = &x->response.fields;
    FIELDS_FOREACH(fields, field)
        if (field->id == FIELD_SET_COOKIE &&
            has_name(&options->add_auth_cookies_to_response, cookie_name(field->value)))
            field->name.len = 0;
    for (size_t i = 0; i < own->cookies.count; i++)
        fields_add_id(fields, FIELD_SET_COOKIE, own->cookies.items[i]);
}

/* ---- it may not ---- */

/* A Location is meant from where the service is (RFC 9110 10.2.2). */
static struct str absolute_location(struct exchange *x, const struct forward_auth_state *state, struct str location)
{
    struct str authority = state->server->authority;
    ptrdiff_t colon = str_find_char(location, ':', 0), slash = str_find_char(location, '/', 0);
    if (location.len == 0 || (colon > 0 && (slash < 0 || colon < slash)))
        return arena_str(&x->arena, location);
    if (str_starts(location, S("//")))
        return arena_concat(&x->arena, S("http:"), location);
    struct str folder = str_first(state->path, (size_t)(str_find_last_char(state->path, '/') + 1));
    if (location.data[0] == '/')
        folder = STR_NONE;
    return arena_printf(&x->arena, "http://%.*s%.*s%.*s", STR_ARGS(authority), STR_ARGS(folder), STR_ARGS(location));
}

static void refuse(struct forward_auth_own *own, const struct fetch *fetch)
{
    struct exchange *x = own->exchange;
    const struct forward_auth *options = own->middleware->options;
    enum status reason = fetch->response.status == 401 ? STATUS_UNAUTHORIZED : STATUS_AUTH_DENIED;
    if (fetch->response.status == 401 && options->auth_signin_url.len != 0) {
        exchange_answer_redirect(x, 302, options->auth_signin_url);
        x->failure = reason;
        return;
    }
    struct str body = fetch->response_body.len != 0 ? arena_str(&x->arena, fetch->response_body) : S("");
    exchange_answer(x, fetch->response.status, reason, STR_NONE, body.data != NULL ? body : S(""));
    FIELDS_FOREACH(&fetch->response.fields, field) {
        struct str value = field->id == FIELD_LOCATION && !options->preserve_location_header
                               ? absolute_location(x, own->middleware->state, field->value)
                               : arena_str(&x->arena, field->value);
        fields_add(&x->response.fields, arena_str(&x->arena, field->name), value);
    }
}

void forward_auth_judge(struct forward_auth_own *own, struct fetch *fetch, enum status status)
{
    struct exchange *x = own->exchange;
    const struct forward_auth *options = own->middleware->options;
    if (status != STATUS_OK) {
        exchange_answer_status(x, 500, STATUS_AUTH_UNREACHABLE);
        x->reason_detail = status_text(status);
        return;
    }
    fields_remove_hop_by_hop(&fetch->response.fields, false);
    fields_remove(&fetch->response.fields, FIELD_CONTENT_LENGTH);
    if (options->header_field.len != 0)
        x->user = arena_str(&x->arena, fields_value_name(&fetch->response.fields, options->header_field));
    if (fetch->response.status >= 200 && fetch->response.status < 300)
        let_pass(own, &fetch->response);
    else
        refuse(own, fetch);
}
