/* What the authentication service is asked. Everything is copied: the question may outlive the exchange by a turn. */
#include "exchange/spool.h"
#include "middleware/forward_auth.h"

static bool is_listed(const struct strs *names, struct str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_equal_nocase(names->items[i], name))
            return true;
    return false;
}

static bool copy_fields(const struct forward_auth *options, const struct fields *from, struct fetch *fetch)
{
    struct fields *to = &fetch->request.fields;
    FIELDS_FOREACH(from, field) {
        if (field->id == FIELD_HOST || field->id == FIELD_CONTENT_LENGTH || field->id == FIELD_EXPECT)
            continue;
        if (!fields_add(to, arena_str(&fetch->arena, field->name), arena_str(&fetch->arena, field->value)))
            return false;
    }
    fields_remove_hop_by_hop(to, false);
    if (options->auth_request_headers.count == 0)
        return true;
    FIELDS_FOREACH(to, field) {
        bool forwarding = options->trust_forward_header && str_starts_nocase(field->name, S("X-Forwarded-"));
        if (!forwarding && !is_listed(&options->auth_request_headers, field->name))
            field->name.len = 0;
    }
    return true;
}

/* A trusted peer's own word stays, if that is wanted. */
static void tell(struct fetch *fetch, bool trust, struct str name, struct str value)
{
    struct fields *fields = &fetch->request.fields;
    if (!trust || fields_find_name(fields, name) == NULL)
        fields_set_name(fields, name, value);
}

static void tell_client(const struct exchange *x, struct fetch *fetch, bool trust)
{
    if (x->stream.client->unix_socket)
        return;
    char text[IP_TEXT_SIZE];
    struct str peer = str_of(text, ip_format(&x->stream.client->peer, text));
    struct fields *fields = &fetch->request.fields;
    struct str before = trust ? fields_joined(fields, FIELD_X_FORWARDED_FOR, &fetch->arena) : STR_NONE;
    fields_set(fields, FIELD_X_FORWARDED_FOR,
               before.len != 0 ? arena_printf(&fetch->arena, "%.*s, %.*s", STR_ARGS(before), STR_ARGS(peer))
                               : arena_str(&fetch->arena, peer));
}

static void tell_of_request(const struct exchange *x, struct fetch *fetch, bool trust)
{
    const struct request *request = &x->stream.request;
    struct arena *arena = &fetch->arena;
    struct str uri = request->query.data != NULL
                         ? arena_printf(arena, "%.*s?%.*s", STR_ARGS(request->path), STR_ARGS(request->query))
                         : arena_str(arena, request->path);
    tell_client(x, fetch, trust);
    tell(fetch, trust, S("X-Forwarded-Method"), arena_str(arena, request->method_name));
    tell(fetch, trust, S("X-Forwarded-Proto"), exchange_scheme(x));
    tell(fetch, trust, S("X-Forwarded-Host"), arena_str(arena, request->authority));
    tell(fetch, trust, S("X-Forwarded-Uri"), uri);
}

static bool add_body(struct exchange *x, struct fetch *fetch)
{
    struct body_source *held = spool_rewind(x->spool);
    enum status status;
    while ((status = held->ops->read(held, &fetch->body, CHUNK_LARGE_SIZE)) == STATUS_OK)
        ;
    fetch->request.has_body = true;
    fetch->request.body_length = exchange_held_length(x);
    return status == STATUS_END;
}

bool forward_auth_build(struct forward_auth_own *own, struct fetch *fetch)
{
    struct exchange *x = own->exchange;
    const struct forward_auth *options = own->middleware->options;
    const struct forward_auth_state *state = own->middleware->state;
    const struct request *from = exchange_request(x);
    struct request *request = &fetch->request;
    request->method = options->preserve_request_method ? from->method : METHOD_GET;
    request->method_name = options->preserve_request_method ? arena_str(&fetch->arena, from->method_name)
                                                            : method_text(METHOD_GET);
    request->scheme = state->server->secure ? S("https") : S("http");
    request->authority = arena_str(&fetch->arena, state->server->authority);
    request->path = arena_str(&fetch->arena, state->path);
    if (state->query.data != NULL)
        request->query = arena_str(&fetch->arena, state->query);
    if (!copy_fields(options, &from->fields, fetch))
        return false;
    tell_of_request(x, fetch, options->trust_forward_header && x->forwarded_trusted);
    if (options->forward_body && from->has_body)
        return add_body(x, fetch);
    return true;
}
