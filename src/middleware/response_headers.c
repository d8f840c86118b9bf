/* Adds fields to responses, as templates and for the statuses that they are meant for; says how long responses may be kept; adds
 * trailers. Fields of requests, CORS and security headers are `headers`'. */
#include "middleware/response_headers.h"

#include "base/list.h"
#include "http/date.h"
#include "http/token.h"
#include "middleware/answer.h"

struct field_option {
    const struct node *origin;
    struct str name, value;
    bool always, replace;
    struct strs on_status;
};

struct response_headers {
    const struct node *origin;
    struct objects add, trailers;      /* struct field_option */
    struct str expires;
};

struct response_headers_state {
    struct response_fields fields, trailers;
    struct expires expires;                        /* where it is no template */
    const struct text_template *expires_text;      /* behind "modified "; NULL: none */
    bool expires_modified;
};

static const char *name_check(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return token_is_valid(text) ? NULL : "is not a header field's name";
}

static const struct option field_options[] = {
    OPTION(STR, struct field_option, name, .required = true, .check = name_check, .help = "Its name."),
    OPTION(STR, struct field_option, value, .check = token_field_value_check,
           .help = "Its value, a template; where it comes to nothing, no field is added."),
    OPTION(BOOL, struct field_option, always, .help = "Whatever the response's status is."),
    OPTION_NAMED(STRS, struct field_option, on_status, "onStatus", .check = status_range_check,
                 .help = "The statuses that it is for (\"404\", \"500-599\"); none: 200, 201, 204, 206, 301, 302, 303, 304, 307, 308."),
    OPTION(BOOL, struct field_option, replace, .help = "In place of what is there; an empty value then removes that."),
};
static const struct option_table field_table =
    OPTION_TABLE(struct field_option, field_options, .summary = "A field of responses.");

static const struct option response_headers_options[] = {
    OPTION(LIST, struct response_headers, add, .table = &field_table, .help = "Fields of the response, in order."),
    OPTION(LIST, struct response_headers, trailers, .table = &field_table, .help = "Fields behind the response's body."),
    OPTION(STR, struct response_headers, expires,
           .help = "How long a response may be kept (Expires, Cache-Control): 30d, -1, modified 24h, @15h30m, epoch, max, off; a template."),
};
static const struct option_table response_headers_table = OPTION_TABLE(
    struct response_headers, response_headers_options, .summary = "Adds fields to responses, with templates and for certain statuses.");

/* ---- compiling ---- */

static bool frames_a_message(enum field_id id)
{
    return id == FIELD_CONTENT_LENGTH || id == FIELD_TRANSFER_ENCODING;
}

static bool compile_field(struct response_field *field, const struct field_option *option, struct compile *compile)
{
    *field = (struct response_field){.name = option->name,
                                     .id = field_identify(option->name.data, option->name.len),
                                     .on_status = status_ranges_from(&option->on_status, compile->arena),
                                     .always = option->always,
                                     .on_customary = !option->always && option->on_status.count == 0,
                                     .replace = option->replace};
    field->value = text_template_new(option->value, compile, node_span(node_get(option->origin, S("value"))));
    return field->value != NULL;
}

static bool compile_fields(struct response_fields *fields, const struct objects *options, struct compile *compile)
{
    bool good = true;
    fields->items = arena_array(compile->arena, struct response_field, options->count);
    for (size_t i = 0; i < options->count; i++) {
        const struct field_option *option = options->items[i].value;
        if (frames_a_message(field_identify(option->name.data, option->name.len)))
            diag_warning(compile->diag, node_span(node_get(option->origin, S("name"))),
                         "'%.*s' says where the message ends and is not changed", STR_ARGS(option->name));
        else
            good &= compile_field(&fields->items[fields->count++], option, compile);
    }
    return good;
}

static bool compile_expires(struct response_headers_state *state, const struct response_headers *options, struct compile *compile)
{
    struct str text = options->expires;
    struct span span = node_span(node_get(options->origin, S("expires")));
    if (text.len == 0)
        return true;
    state->expires_modified = expires_is_modified(&text);
    if (text_template_is_in(text)) {
        state->expires_text = text_template_new(text, compile, span);
        return state->expires_text != NULL;
    }
    const char *wrong = expires_parse(text, state->expires_modified, &state->expires);
    if (wrong != NULL)
        diag_error(compile->diag, span, "'%.*s' %s", STR_ARGS(text), wrong);
    return wrong == NULL;
}

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct response_headers *options = m->options;
    struct response_headers_state *state = m->state;
    bool good = compile_fields(&state->fields, &options->add, compile);
    good &= compile_fields(&state->trailers, &options->trailers, compile);
    return compile_expires(state, options, compile) && good;
}

/* ---- responses ---- */

bool response_status_is_customary(int status)
{
    switch (status) {
    case 200:
    case 201:
    case 204:
    case 206:
    case 301:
    case 302:
    case 303:
    case 304:
    case 307:
    case 308:
        return true;
    default:
        return false;
    }
}

bool response_field_is_for(const struct response_field *field, int status)
{
    return field->always || (field->on_customary ? response_status_is_customary(status) : status_ranges_have(&field->on_status, status));
}

static bool apply(const struct response_field *field, struct exchange *x)
{
    struct fields *fields = &x->response.fields;
    struct str value = text_template_text(field->value, x);
    if (field->replace && field->id != FIELD_OTHER)
        fields_remove(fields, field->id);
    else if (field->replace)
        fields_remove_name(fields, field->name);
    return value.len == 0 || fields_add(fields, field->name, value);
}

static bool expires_of(const struct response_headers_state *state, struct exchange *x, struct expires *expires)
{
    *expires = state->expires;
    if (state->expires_text != NULL &&
        expires_parse(text_template_text(state->expires_text, x), state->expires_modified, expires) != NULL)
        return false;
    return expires->kind != EXPIRES_OFF;
}

static bool tell_expiry(const struct expires *expires, struct exchange *x)
{
    struct fields *fields = &x->response.fields;
    int64_t date, max_age, modified;
    if (!http_date_parse(fields_value(fields, FIELD_LAST_MODIFIED), &modified))
        modified = -1;
    expires_when(expires, x->worker->loop.wall / TIME_S, modified, &date, &max_age);
    char *text = arena_alloc(&x->arena, HTTP_DATE_LEN);
    if (text == NULL)
        return false;
    http_date_format(date, text);
    struct str control = max_age < 0 ? S("no-cache") : arena_printf(&x->arena, "max-age=%lld", (long long)max_age);
    return fields_set_name(fields, S("Expires"), str_of(text, HTTP_DATE_LEN)) &&
           fields_set(fields, FIELD_CACHE_CONTROL, control);
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    const struct response_headers_state *state = m->state;
    int status = x->response.status;
    struct expires expires;
    if (response_status_is_customary(status) && expires_of(state, x, &expires) && !tell_expiry(&expires, x))
        return answer_out_of_memory(x);
    for (size_t i = 0; i < state->fields.count; i++)
        if (response_field_is_for(&state->fields.items[i], status) && !apply(&state->fields.items[i], x))
            return answer_out_of_memory(x);
    return response_trailers_begin(x, &state->trailers) ? VERDICT_NEXT : answer_out_of_memory(x);
}

static const struct middleware_type response_headers_type = {
    .choice = {.name = "responseHeaders",
               .summary = "Adds fields to responses, with templates and for certain statuses.",
               .table = &response_headers_table},
    .state_size = sizeof(struct response_headers_state),
    .compile = compile,
    .pure = true,
    .on_response = on_response,
};
REGISTER(middleware_type, response_headers_type);
