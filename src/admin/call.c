#include "admin/call.h"

#include "admin/audit.h"
#include "exchange/survey.h"
#include "http/uri.h"

#define MESSAGE_MAX ((size_t)16384)

void admin_call_init(struct admin_call *call, enum method method, struct str path, struct str query)
{
    *call = (struct admin_call){.method = method, .status = 200, .answer_type = STR("application/json")};
    arena_init(&call->arena, ARENA_UNLIMITED);
    call->path = arena_str(&call->arena, path);
    call->query = arena_str(&call->arena, query);
    text_init(&call->out, ADMIN_ANSWER_MAX);
    call->json.out = &call->out;
}

void admin_call_release(struct admin_call *call)
{
    text_release(&call->out);
    arena_release(&call->arena);
}

void admin_finish(struct admin_call *call)
{
    call->finished(call);
}

void admin_put_message(struct admin_call *call, const char *format, va_list arguments)
{
    struct text message;
    text_init(&message, MESSAGE_MAX);
    text_vaddf(&message, format, arguments);
    json_open_object(&call->json);
    json_member_str(&call->json, "message", text_str(&message));
    json_end(&call->json);
    text_release(&message);
}

bool admin_refuse(struct admin_call *call, int status, const char *format, ...)
{
    va_list arguments;
    call->status = status;
    call->answer_type = S("application/json");
    call->out.overflow = false;
    text_clear(&call->out);
    call->json = (struct json){.out = &call->out};
    va_start(arguments, format);
    admin_put_message(call, format, arguments);
    va_end(arguments);
    return true;
}

bool admin_survey(struct admin_call *call, unsigned wishes, void (*done)(struct survey *survey))
{
    if (!survey_start(wishes, 0, call, done))
        return admin_refuse(call, 503, "the process is stopping");
    return false;
}

bool admin_query(struct admin_call *call, const char *name, struct str *ret_value)
{
    struct str rest = call->query, key, value;
    while (uri_next_pair(&rest, &key, &value))
        if (uri_decode_query(&call->arena, key, &key) && str_equal(key, str_from(name)))
            return uri_decode_query(&call->arena, value, ret_value);
    return false;
}

int64_t admin_query_int(struct admin_call *call, const char *name, int64_t min, int64_t max, int64_t fallback)
{
    struct str text;
    int64_t value;
    if (!admin_query(call, name, &text) || !str_to_i64(text, &value) || value < min || value > max)
        return fallback;
    return value;
}

/* The next segment of a path that begins with '/'; false behind the last. */
static bool next_segment(struct str *rest, struct str *ret_segment)
{
    if (rest->len == 0)
        return false;
    *rest = str_from_index(*rest, 1);
    ptrdiff_t end = str_find_char(*rest, '/', 0);
    *ret_segment = end >= 0 ? str_first(*rest, (size_t)end) : *rest;
    *rest = str_from_index(*rest, ret_segment->len);
    return true;
}

static bool path_fits(struct admin_call *call, struct str pattern)
{
    struct str path = call->path, wanted, segment;
    unsigned parameter = 0;
    while (next_segment(&pattern, &wanted)) {
        if (!next_segment(&path, &segment))
            return false;
        if (str_starts(wanted, S("{"))) {
            if (segment.len == 0 || parameter == ADMIN_PARAMETERS_MAX ||
                !uri_decode(&call->arena, segment, &call->parameters[parameter++]))
                return false;
        } else if (!str_equal(wanted, segment)) {
            return false;
        }
    }
    return path.len == 0;
}

static bool method_fits(enum method method, const char *wanted)
{
    return str_equal(method_text(method), str_from(wanted)) || (method == METHOD_HEAD && str_equal(S("GET"), str_from(wanted)));
}

const struct admin_route *admin_route_find(struct admin_call *call, bool *ret_known)
{
    *ret_known = false;
    if (!str_starts(call->path, S("/")))
        return NULL;
    REGISTRY_FOREACH(admin_route, const struct admin_route, it) {
        if (!path_fits(call, str_from((*it)->path)))
            continue;
        if (method_fits(call->method, (*it)->method))
            return *it;
        *ret_known = true;
    }
    return NULL;
}

/* What can be done with the path, for 405 (RFC 9110 15.5.6). */
static void collect_methods(struct admin_call *call)
{
    struct text methods;
    text_init(&methods, 256);
    REGISTRY_FOREACH(admin_route, const struct admin_route, it)
        if (path_fits(call, str_from((*it)->path)))
            text_addf(&methods, "%s%s%s", methods.len != 0 ? ", " : "", (*it)->method,
                      str_equal(str_from((*it)->method), S("GET")) ? ", HEAD" : "");
    call->allow = arena_str(&call->arena, text_str(&methods));
    text_release(&methods);
}

static bool is_json(struct str type)
{
    ptrdiff_t end = str_find_char(type, ';', 0);
    return str_equal_nocase(str_trim(end >= 0 ? str_first(type, (size_t)end) : type), S("application/json"));
}

bool admin_answer(struct admin_call *call)
{
    bool known;
    const struct admin_route *route = admin_route_find(call, &known);
    if (route == NULL && known) {
        collect_methods(call);
        return admin_refuse(call, 405, "%.*s does not take %.*s", STR_ARGS(call->path), STR_ARGS(method_text(call->method)));
    }
    if (route == NULL)
        return admin_refuse(call, 404, "there is no %.*s", STR_ARGS(call->path));
    if (str_equal(str_from(route->method), S("POST"))) {
        if (!call->may_write) {
            audit_denied(call);
            return admin_refuse(call, 403, "only users that api.writers names may change things, from a page of this host");
        }
        if (!is_json(call->content_type))
            return admin_refuse(call, 415, "the body is to be application/json");
    }
    return route->answer(call);
}
