/* Cross-origin requests: preflights are answered here, other responses get the fields that let
 * scripts read them. */
#include "middleware/headers.h"

#include "http/token.h"

static const struct str allow_origin = STR("Access-Control-Allow-Origin");

static struct str join(struct arena *arena, const struct strs *list)
{
    struct str joined = STR_NONE;
    for (size_t i = 0; i < list->count; i++)
        joined = arena_printf(arena, "%.*s%s%.*s", STR_ARGS(joined), i != 0 ? "," : "",
                              STR_ARGS(list->items[i]));
    return joined;
}

static bool check_values(const struct headers *options, struct compile *compile)
{
    static const struct str keys[] = {
        STR("accessControlAllowHeaders"),
        STR("accessControlAllowMethods"),
        STR("accessControlExposeHeaders"),
        STR("accessControlAllowOriginList"),
    };
    const struct strs *lists[] = {
        &options->access_control_allow_headers,
        &options->access_control_allow_methods,
        &options->access_control_expose_headers,
        &options->access_control_allow_origin_list,
    };
    bool good = true;
    for (size_t list = 0; list < sizeof(lists) / sizeof(lists[0]); list++) {
        for (size_t i = 0; i < lists[list]->count; i++) {
            if (token_is_field_value(lists[list]->items[i]))
                continue;
            diag_error(compile->diag, node_span(node_get(options->origin, keys[list])),
                       "'%.*s' has bytes that no header field may hold", STR_ARGS(keys[list]));
            good = false;
        }
    }
    return good;
}

bool headers_cors_compile(struct headers_cors *cors, const struct headers *options,
                          struct compile *compile)
{
    struct arena *arena = compile->arena;
    cors->credentials = options->access_control_allow_credentials;
    cors->vary = options->add_vary_header;
    cors->origins = &options->access_control_allow_origin_list;
    cors->allow_headers = join(arena, &options->access_control_allow_headers);
    cors->allow_methods = join(arena, &options->access_control_allow_methods);
    cors->expose_headers = join(arena, &options->access_control_expose_headers);
    cors->max_age = arena_printf(arena, "%lld", (long long)options->access_control_max_age);
    cors->enabled = cors->credentials || cors->vary || cors->origins->count != 0 ||
                    cors->allow_headers.len != 0 || cors->allow_methods.len != 0 ||
                    cors->expose_headers.len != 0 || options->access_control_max_age != 0 ||
                    options->access_control_allow_origin_list_regex.count != 0;
    bool good = check_values(options, compile);
    return regexes_compile(&cors->origin_regexes, &options->access_control_allow_origin_list_regex,
                           options->origin, S("accessControlAllowOriginListRegex"), compile) &&
           good;
}

void headers_cors_release(struct headers_cors *cors)
{
    regexes_release(&cors->origin_regexes);
}

/* What to allow: "*", or the origin itself; empty: nothing. */
static struct str find_allowed(const struct headers_cors *cors, struct str origin)
{
    for (size_t i = 0; i < cors->origins->count; i++) {
        struct str item = cors->origins->items[i];
        if (str_equal(item, S("*")) || str_equal(item, origin))
            return item;
    }
    for (size_t i = 0; i < cors->origin_regexes.count; i++) {
        if (regex_match(cors->origin_regexes.items[i], origin))
            return origin;
    }
    return STR_NONE;
}

bool headers_cors_is_preflight(const struct headers_cors *cors, const struct request *request)
{
    return cors->enabled && request->method == METHOD_OPTIONS &&
           fields_value(&request->fields, FIELD_ORIGIN).len != 0 &&
           fields_value_name(&request->fields, S("Access-Control-Request-Method")).len != 0;
}

void headers_cors_answer_preflight(const struct headers_cors *cors, struct exchange *x)
{
    struct str allowed =
        find_allowed(cors, fields_value(&exchange_request(x)->fields, FIELD_ORIGIN));
    exchange_answer(x, 200, STATUS_MIDDLEWARE_ANSWERED, STR_NONE, STR_NONE);
    struct fields *fields = &x->response.fields;
    if (cors->credentials)
        fields_add(fields, S("Access-Control-Allow-Credentials"), S("true"));
    if (cors->allow_headers.len != 0)
        fields_add(fields, S("Access-Control-Allow-Headers"), cors->allow_headers);
    if (cors->allow_methods.len != 0)
        fields_add(fields, S("Access-Control-Allow-Methods"), cors->allow_methods);
    if (allowed.len != 0)
        fields_add(fields, allow_origin, allowed);
    fields_add(fields, S("Access-Control-Max-Age"), cors->max_age);
}

static bool add_vary(struct exchange *x)
{
    struct fields *fields = &x->response.fields;
    struct str vary = fields_joined(fields, FIELD_VARY, &x->arena);
    if (vary.len == 0)
        return fields_set(fields, FIELD_VARY, S("Origin"));
    if (token_list_has(vary, S("Origin")) || token_list_has(vary, S("*")))
        return true;
    struct str both = arena_concat(&x->arena, vary, S(",Origin"));
    return both.data != NULL && fields_set(fields, FIELD_VARY, both);
}

bool headers_cors_apply(const struct headers_cors *cors, struct exchange *x)
{
    if (!cors->enabled)
        return true;
    struct fields *fields = &x->response.fields;
    struct str allowed =
        find_allowed(cors, fields_value(&exchange_request(x)->fields, FIELD_ORIGIN));
    bool good = true;
    if (allowed.len != 0)
        good &= fields_set_name(fields, allow_origin, allowed);
    if (cors->credentials)
        good &= fields_set_name(fields, S("Access-Control-Allow-Credentials"), S("true"));
    if (cors->expose_headers.len != 0)
        good &= fields_set_name(fields, S("Access-Control-Expose-Headers"), cors->expose_headers);
    return good && (!cors->vary || add_vary(x));
}
