/* gRPC for scripts in browsers: application/grpc-web and -text become application/grpc on the way to the server, and the
 * response's trailers a part of its body on the way back. Preflights of such requests are answered here. What is no gRPC-Web
 * passes untouched. */
#include "http/token.h"
#include "middleware/answer.h"
#include "middleware/grpc_web_body.h"

#define WEB "application/grpc-web"
#define WEB_TEXT "application/grpc-web-text"
#define NATIVE "application/grpc"

struct grpc_web {
    const struct node *origin;
    struct strs allow_origins;
};

struct grpc_web_own {
    bool taken, text;
};

static const struct option grpc_web_options[] = {
    OPTION_NAMED(STRS, struct grpc_web, allow_origins, "allowOrigins",
                 .help = "Origins whose scripts may call: \"https://a.example\", or \"*\" for all."),
};
static const struct option_table grpc_web_table =
    OPTION_TABLE(struct grpc_web, grpc_web_options, .summary = "Translates gRPC-Web to gRPC.");

/* ---- origins ---- */

static bool is_allowed(const struct grpc_web *options, struct str origin)
{
    for (size_t i = 0; i < options->allow_origins.count; i++) {
        struct str item = options->allow_origins.items[i];
        if (str_equal(item, S("*")) || str_equal_nocase(item, origin))
            return origin.len != 0;
    }
    return false;
}

static bool is_preflight(const struct request *request)
{
    struct str asked = fields_value_name(&request->fields, S("Access-Control-Request-Headers"));
    return request->method == METHOD_OPTIONS && fields_has(&request->fields, FIELD_ORIGIN) &&
           token_list_has(asked, S("x-grpc-web"));
}

static enum verdict answer_preflight(struct exchange *x, const struct grpc_web *options)
{
    const struct fields *asked = &exchange_request(x)->fields;
    struct str origin = fields_value(asked, FIELD_ORIGIN);
    exchange_answer(x, 204, STATUS_MIDDLEWARE_ANSWERED, STR_NONE, STR_NONE);
    struct fields *fields = &x->response.fields;
    fields_add_id(fields, FIELD_VARY, S("Origin, Access-Control-Request-Method, Access-Control-Request-Headers"));
    if (!is_allowed(options, origin))
        return VERDICT_ANSWER;
    fields_add(fields, S("Access-Control-Allow-Origin"), origin);
    fields_add(fields, S("Access-Control-Allow-Methods"), S("POST"));
    fields_add(fields, S("Access-Control-Allow-Headers"), fields_value_name(asked, S("Access-Control-Request-Headers")));
    fields_add(fields, S("Access-Control-Allow-Credentials"), S("true"));
    fields_add(fields, S("Access-Control-Max-Age"), S("600"));
    return VERDICT_ANSWER;
}

/* Scripts see no field of another origin's response that is not listed. */
static struct str list_names(const struct fields *fields, struct arena *arena)
{
    struct str list = S("grpc-status, grpc-message");
    FIELDS_FOREACH(fields, field) {
        list = arena_printf(arena, "%.*s, %.*s", STR_ARGS(list), STR_ARGS(field->name));
        if (list.data == NULL)
            break;
    }
    return list;
}

static bool allow_origin(struct exchange *x, const struct grpc_web *options)
{
    struct fields *fields = &x->response.fields;
    struct str origin = fields_value(&exchange_request(x)->fields, FIELD_ORIGIN);
    if (origin.len == 0)
        return true;
    bool good = fields_add_id(fields, FIELD_VARY, S("Origin"));
    if (!is_allowed(options, origin))
        return good;
    struct str names = list_names(fields, &x->arena);
    return good && names.data != NULL && fields_set_name(fields, S("Access-Control-Expose-Headers"), names) &&
           fields_set_name(fields, S("Access-Control-Allow-Origin"), origin) &&
           fields_set_name(fields, S("Access-Control-Allow-Credentials"), S("true"));
}

/* ---- requests ---- */

/* "application/grpc-web-text+proto" begins with `type` and goes on with a suffix, parameters, or nothing. */
static bool has_type(struct str value, struct str type)
{
    struct str rest = str_from_index(value, type.len);
    return str_starts_nocase(value, type) && (rest.len == 0 || rest.data[0] == '+' || rest.data[0] == ';' || rest.data[0] == ' ');
}

/* Another type in place of the one that it begins with; the rest stays. */
static bool replace_type(struct exchange *x, struct fields *fields, size_t former, struct str type)
{
    struct str value = arena_concat(&x->arena, type, str_from_index(fields_value(fields, FIELD_CONTENT_TYPE), former));
    return value.data != NULL && fields_set(fields, FIELD_CONTENT_TYPE, value);
}

static bool translate_request(struct exchange *x, const struct grpc_web_own *own)
{
    struct request *request = exchange_request(x);
    if (!replace_type(x, &request->fields, own->text ? strlen(WEB_TEXT) : strlen(WEB), S(NATIVE)) ||
        !fields_set(&request->fields, FIELD_TE, S("trailers")))
        return false;
    if (!own->text || !request->has_body)
        return true;
    struct filter *filter = grpc_web_decoder_new(&x->arena, &x->worker->chunks);
    if (filter == NULL)
        return false;
    exchange_filter_request(x, filter);
    request->body_length = BODY_UNKNOWN;
    return true;
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *memory)
{
    struct grpc_web_own *own = memory;
    const struct request *request = exchange_request(x);
    struct str type = fields_value(&request->fields, FIELD_CONTENT_TYPE);
    if (is_preflight(request))
        return answer_preflight(x, m->options);
    own->text = has_type(type, S(WEB_TEXT));
    own->taken = request->method == METHOD_POST && (own->text || has_type(type, S(WEB)));
    return !own->taken || translate_request(x, own) ? VERDICT_NEXT : answer_out_of_memory(x);
}

/* ---- responses ---- */

/* A response that is no gRPC (an error of somebody on the way) has no trailers to tell, and one that cannot have a body has
 * no place for them. */
static bool translate_response(struct exchange *x, const struct grpc_web_own *own)
{
    struct fields *fields = &x->response.fields;
    if (x->answered_here || status_is_bodiless(x->response.status) ||
        !has_type(fields_value(fields, FIELD_CONTENT_TYPE), S(NATIVE)))
        return true;
    struct filter *filter =
        grpc_web_encoder_new(&x->arena, &x->worker->chunks, &x->upstream.response.trailers, own->text);
    if (filter == NULL || !replace_type(x, fields, strlen(NATIVE), own->text ? S(WEB_TEXT) : S(WEB)))
        return false;
    fields_remove(fields, FIELD_TRAILER);
    exchange_filter_response(x, filter);
    x->response.body_length = BODY_UNKNOWN;
    return true;
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *memory)
{
    const struct grpc_web_own *own = memory;
    if (!own->taken)
        return VERDICT_NEXT;
    return translate_response(x, own) && allow_origin(x, m->options) ? VERDICT_NEXT : answer_out_of_memory(x);
}

static const struct middleware_type grpc_web = {
    .choice = {.name = "grpcWeb", .summary = "Translates gRPC-Web to gRPC.", .table = &grpc_web_table},
    .exchange_size = sizeof(struct grpc_web_own),
    .on_request = on_request,
    .on_response = on_response,
};
REGISTER(middleware_type, grpc_web);
