/* Fields of messages, parameters of the query and cookies as variables: families by name. */
#include "exchange/variable_fields.h"

#include "exchange/variable.h"

/* Names in variables have '_' where fields have '-'; the dotted ones may have either. */
static char plain(char c)
{
    return c == '-' ? '_' : ascii_lower(c);
}

static bool is_named(struct str field, struct str name)
{
    if (field.len != name.len)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (plain(field.data[i]) != plain(name.data[i]))
            return false;
    return true;
}

static struct str joined(const struct fields *fields, struct str name, size_t len, struct str separator, struct arena *arena)
{
    char *text = arena_alloc(arena, len), *out = text;
    if (text == NULL)
        return STR_NONE;
    FIELDS_FOREACH(fields, field) {
        if (!is_named(field->name, name))
            continue;
        if (out != text)
            out = mempcpy(out, separator.data, separator.len);
        if (field->value.len != 0)
            out = mempcpy(out, field->value.data, field->value.len);
    }
    return str_of(text, (size_t)(out - text));
}

struct str variable_of_fields(const struct fields *fields, struct str name, struct arena *arena)
{
    struct str first = STR_NONE;
    size_t count = 0, len = 0;
    FIELDS_FOREACH(fields, field) {
        if (!is_named(field->name, name))
            continue;
        if (count++ == 0)
            first = field->value.data != NULL ? field->value : S("");
        len += field->value.len + 2;
    }
    if (count <= 1)
        return first;
    return joined(fields, name, len, is_named(name, S("cookie")) ? S("; ") : S(", "), arena);
}

static struct str request_field(struct exchange *x, struct str name)
{
    const struct request *request = exchange_request(x);
    struct str value = variable_of_fields(&request->fields, name, &x->arena);
    /* HTTP/2 names the host in a field of its own. */
    if (value.data == NULL && str_equal(name, S("host")) && request->authority.len != 0)
        return request->authority;
    return value;
}

static struct str response_field(struct exchange *x, struct str name)
{
    const struct response *response = &x->response;
    if (response->status == 0)
        return STR_NONE;
    struct str value = variable_of_fields(&response->fields, name, &x->arena);
    if (value.data == NULL && is_named(S("content_length"), name) && response->body_length >= 0 &&
        !status_is_bodiless(response->status))
        return arena_printf(&x->arena, "%lld", (long long)response->body_length);
    return value;
}

static struct str response_trailer(struct exchange *x, struct str name)
{
    /* What goes out, once that begins: a server's, and ours as they are added. */
    const struct fields *trailers = x->download_began && x->download.trailers != NULL ? x->download.trailers
                                    : x->answered_here                                 ? &x->response.trailers
                                                                                       : &x->upstream.response.trailers;
    return x->response.status == 0 ? STR_NONE : variable_of_fields(trailers, name, &x->arena);
}

/* The first parameter of that name, as it stands in the query. */
struct str variable_of_query(struct str query, struct str name)
{
    struct str part;
    while (name.len != 0 && query.data != NULL && str_split(&query, '&', &part))
        if (part.len > name.len && part.data[name.len] == '=' && str_starts_nocase(part, name))
            return str_of(part.data + name.len + 1, part.len - name.len - 1);
    return STR_NONE;
}

static struct str argument_value(struct exchange *x, struct str name)
{
    return variable_of_query(exchange_request(x)->query, name);
}

static struct str without_spaces(struct str text)
{
    while (text.len != 0 && text.data[0] == ' ')
        text = str_of(text.data + 1, text.len - 1);
    return text;
}

/* Behind the name and blanks a '='; then the value, up to the next ';'. data NULL: it is another cookie. */
static struct str cookie_here(struct str line, struct str name)
{
    if (!str_starts_nocase(line, name))
        return STR_NONE;
    struct str rest = without_spaces(str_from_index(line, name.len));
    if (rest.len == 0 || rest.data[0] != '=')
        return STR_NONE;
    rest = without_spaces(str_of(rest.data + 1, rest.len - 1));
    ptrdiff_t end = str_find_char(rest, ';', 0);
    rest = end >= 0 ? str_first(rest, (size_t)end) : rest;
    return rest.len != 0 ? rest : S("");
}

/* Case is ignored in the name: what nginx's users are used to. */
static struct str in_cookie(struct str line, struct str name)
{
    for (line = without_spaces(line); line.len != 0; line = without_spaces(line)) {
        struct str value = cookie_here(line, name);
        if (value.data != NULL)
            return value;
        ptrdiff_t end = str_find_char(line, ';', 0);
        line = end >= 0 ? str_from_index(line, (size_t)end + 1) : STR_NONE;
    }
    return STR_NONE;
}

static struct str cookie(struct exchange *x, struct str name)
{
    const struct fields *fields = &exchange_request(x)->fields;
    if (name.len == 0 || !fields_has(fields, FIELD_COOKIE))
        return STR_NONE;
    FIELDS_FOREACH(fields, field) {
        struct str value = field->id == FIELD_COOKIE ? in_cookie(field->value, name) : STR_NONE;
        if (value.data != NULL)
            return value;
    }
    return STR_NONE;
}

static const struct variable_type http_type = {
    .name = "http_", .alias = "request.header.", .family = true, .get = request_field,
    .help = "A field of the request; several of one name joined with \", \" (Cookie: \"; \")."};
REGISTER(variable_type, http_type);
static const struct variable_type sent_http_type = {
    .name = "sent_http_", .alias = "response.header.", .family = true, .is_volatile = true, .get = response_field,
    .help = "A field of the response."};
REGISTER(variable_type, sent_http_type);
static const struct variable_type sent_trailer_type = {
    .name = "sent_trailer_", .alias = "response.trailer.", .family = true, .is_volatile = true, .get = response_trailer,
    .help = "A field behind the response's body."};
REGISTER(variable_type, sent_trailer_type);
static const struct variable_type arg_type = {
    .name = "arg_", .alias = "request.query.", .family = true, .is_volatile = true, .get = argument_value,
    .help = "A parameter of the query, as it was sent."};
REGISTER(variable_type, arg_type);
static const struct variable_type cookie_type = {
    .name = "cookie_", .alias = "request.cookie.", .family = true, .get = cookie, .help = "A cookie that the client sent."};
REGISTER(variable_type, cookie_type);
