/* The request as servers get it: its target, its fields, its body. The client's own stays as it is. */
#include "exchange/outgoing.h"
#include "exchange/spool.h"
#include "exchange/visit.h"
#include "http/token.h"
#include "middleware/proxy_pass.h"

#define BODY_IN_MEMORY (INT64_C(16) << 20)

/* ---- where to ---- */

static bool find_url(const struct proxy_pass *pass, struct exchange *x)
{
    x->url = pass->constant_url.text.data != NULL ? &pass->constant_url : NULL;
    if (pass->url == NULL)
        return true;
    struct outgoing_url *url = arena_alloc(&x->arena, sizeof(*url));
    struct str text = text_template_text(pass->url, x), scheme = pass->config->scheme;
    if (!str_empty(scheme) && str_find(text, S("://")) < 0)
        text = arena_printf(&x->arena, "%.*s://%.*s", STR_ARGS(scheme), STR_ARGS(text));
    if (url == NULL || !outgoing_url_parse(text, url))
        return false;
    x->url = url;
    return true;
}

static void split_target(struct request *request, struct str target)
{
    ptrdiff_t mark = str_find_char(target, '?', 0);
    request->path = mark >= 0 ? str_first(target, (size_t)mark) : target;
    request->query = mark >= 0 ? str_of(target.data + mark + 1, target.len - (size_t)mark - 1) : STR_NONE;
    if (request->path.len == 0)
        request->path = S("/");
}

/* The path that is sent on, behind what the URL's path takes the place of. A script that has changed the path since its location was
 * found means the new one as it stands. */
static struct str rest_of_path(const struct proxy_pass *pass, struct exchange *x, bool replaced)
{
    const struct visit *visit = x->visit;
    struct str start = pass->config->replaces;
    if (visit == NULL || visit->site == NULL) {
        struct str path = x->stream.request.path;
        return replaced && str_starts(path, start) ? str_from_index(path, start.len) : path;
    }
    struct str rest = replaced ? str_from_index(visit->uri, start.len < visit->uri.len ? start.len : visit->uri.len) : visit->uri;
    bool was_escaped = visit->internal || visit->uri_changed || str_find_char(x->original_path, '%', 0) >= 0;
    return was_escaped ? visit_escape_uri(x, rest) : rest;
}

static void set_target(const struct proxy_pass *pass, struct exchange *x, struct request *request)
{
    const struct visit *visit = x->visit != NULL && x->visit->site != NULL ? x->visit : NULL;
    struct str uri = x->url != NULL ? x->url->uri : STR_NONE;
    if (uri.len != 0 && pass->url != NULL) {
        split_target(request, uri);
        return;
    }
    if (uri.len == 0 && visit != NULL && !visit->uri_changed) {
        request->path = x->original_path;
        request->query = x->original_query;
        return;
    }
    if (uri.len == 0 && visit == NULL)
        return;
    bool fresh = visit == NULL || !visit->prefix_lost;
    struct str rest = rest_of_path(pass, x, uri.len != 0 && fresh);
    request->path = uri.len != 0 && fresh ? arena_concat(&x->arena, uri, rest) : rest;
    if (request->path.len == 0)
        request->path = S("/");
    if (request->query.len == 0)
        request->query = STR_NONE;
}

/* ---- fields ---- */

static bool is_set_anew(const struct proxy_pass *pass, const struct field *field)
{
    if (field->id != FIELD_OTHER)
        return (pass->field_ids >> field->id & 1) != 0;
    for (unsigned i = 0; i < pass->field_count; i++)
        if (pass->fields[i].id == FIELD_OTHER && str_equal_nocase(pass->fields[i].name, field->name))
            return true;
    return false;
}

static void copy_clients_fields(const struct proxy_pass *pass, struct exchange *x, struct fields *fields)
{
    const struct fields *from = &exchange_request(x)->fields;
    FIELDS_FOREACH(from, field) {
        if (field->id == FIELD_HOST || field->id == FIELD_CONTENT_LENGTH || (fields->count == fields->capacity && !fields_grow(fields)))
            continue;
        fields->items[fields->count++] = *field;
        fields->present[field->id >> 6] |= UINT64_C(1) << (field->id & 63);
    }
    fields_remove_hop_by_hop(fields, true);
    FIELDS_FOREACH(fields, field)
        if (is_set_anew(pass, field))
            field->name.len = 0;
    fields->present[0] &= ~(pass->field_ids & ~UINT64_C(1));
}

static bool names_upgrade(struct str value)
{
    struct str rest = value, part;
    while (str_split(&rest, ',', &part))
        if (str_equal_nocase(str_trim(part), S("upgrade")))
            return true;
    return false;
}

/* Host, Connection and Upgrade are the protocol's to write; the length and the coding of a body are nobody else's. */
static void set_field(struct request *request, const struct set_field *field, struct str value)
{
    switch ((int)field->id) {
    case FIELD_HOST:
        request->no_host = value.len == 0 && request->as_http_1_0;
        if (value.len != 0 && token_is_field_value(value))
            request->authority = value;
        break;
    case FIELD_CONNECTION:
        request->connection = value;
        break;
    case FIELD_CONTENT_LENGTH:
    case FIELD_TRANSFER_ENCODING:
        break;
    case FIELD_UPGRADE:
        request->upgrade = value;
        break;
    case FIELD_OTHER:
        if (value.len != 0)
            fields_add(&request->fields, field->name, value);
        break;
    default:
        if (value.len != 0)
            fields_add_id(&request->fields, field->id, value);
    }
}

/* Without both fields nobody is asked for another protocol: Upgrade then is a field like others. */
static void settle_upgrade(const struct proxy_pass *pass, struct exchange *x, struct request *request)
{
    bool says = (pass->field_ids >> FIELD_CONNECTION & 1) != 0 || (pass->field_ids >> FIELD_UPGRADE & 1) != 0;
    if (!says)
        return;
    struct str wanted = request->upgrade;
    bool asked = wanted.len != 0 && names_upgrade(request->connection) && x->stream.request.upgrade.len != 0;
    request->upgrade = asked ? wanted : STR_NONE;
    if (!asked && wanted.len != 0)
        fields_add_id(&request->fields, FIELD_UPGRADE, wanted);
}

static void set_fields(const struct proxy_pass *pass, struct exchange *x, struct request *request)
{
    bool says = (pass->field_ids >> FIELD_CONNECTION & 1) != 0 || (pass->field_ids >> FIELD_UPGRADE & 1) != 0;
    if (x->url != NULL)
        request->authority = x->url->authority;
    if (pass->config->pass_fields)
        copy_clients_fields(pass, x, &request->fields);
    if (says)
        request->upgrade = STR_NONE;
    for (unsigned i = 0; i < pass->field_count; i++)
        set_field(request, &pass->fields[i], text_template_text(pass->fields[i].value, x));
    settle_upgrade(pass, x, request);
}

/* ---- body ---- */

static bool replace_body(struct exchange *x, struct outgoing *outgoing, struct str text)
{
    struct chunkq piece;
    outgoing->own_body = true;
    outgoing->request.has_body = text.len != 0;
    outgoing->request.body_length = (int64_t)text.len;
    if (text.len == 0)
        return true;
    outgoing->body = spool_new(&x->arena, &x->worker->chunks, BODY_IN_MEMORY);
    if (outgoing->body == NULL)
        return false;
    chunkq_init(&piece);
    chunkq_add_static(&piece, text);
    enum status status = spool_add(outgoing->body, &piece);
    chunkq_release(&piece);
    return status == STATUS_OK;
}

static bool set_body(const struct proxy_pass *pass, struct exchange *x, struct outgoing *outgoing)
{
    if (pass->body != NULL)
        return replace_body(x, outgoing, text_template_text(pass->body, x));
    return pass->config->pass_body || replace_body(x, outgoing, STR_NONE);
}

static bool wants_hints(const struct proxy_pass *pass, struct exchange *x)
{
    for (unsigned i = 0; i < pass->hint_count; i++) {
        struct str value = text_template_text(pass->hints[i], x);
        if (value.len != 0 && !str_equal(value, S("0")))
            return true;
    }
    return false;
}

bool proxy_pass_request(const struct proxy_pass *pass, struct exchange *x)
{
    const struct request *from = exchange_request(x);
    struct outgoing *outgoing = find_url(pass, x) ? outgoing_begin(x, from->fields.count + pass->field_count + 2) : NULL;
    if (outgoing == NULL) {
        exchange_answer_status(x, 500, STATUS_INTERNAL);
        return false;
    }
    struct request *request = &outgoing->request;
    outgoing->passes_trailers = pass->config->pass_trailers;
    outgoing->passes_hints = wants_hints(pass, x);
    request->as_http_1_0 = pass->config->version == HTTP_1_0;
    set_target(pass, x, request);
    set_fields(pass, x, request);
    if (pass->method != NULL) {
        request->method_name = text_template_text(pass->method, x);
        request->method = method_identify(request->method_name);
    }
    if (set_body(pass, x, outgoing))
        return true;
    exchange_answer_status(x, 500, STATUS_OUT_OF_MEMORY);
    return false;
}
