#include "service/sticky.h"

#include <inttypes.h>
#include <openssl/evp.h>

#include "base/hex.h"
#include "http/cookie.h"
#include "http/token.h"

static const char *check_name(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return str_empty(text) || token_is_valid(text) ? NULL : "is not the name of a cookie";
}

static const char *check_attribute(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return token_is_field_value(text) && str_find_char(text, ';', 0) < 0 ? NULL : "cannot stand in a cookie";
}

static const struct option_name same_sites[] = {
    {"none", SAME_SITE_NONE}, {"lax", SAME_SITE_LAX}, {"strict", SAME_SITE_STRICT}, {NULL, 0}};

static const struct option cookie_options[] = {
    OPTION(STR, struct sticky_cookie, name, .check = check_name,
           .help = "The cookie's name; none: '_' and five digits made of the service's name."),
    OPTION(BOOL, struct sticky_cookie, secure, .help = "Browsers send it over TLS only."),
    OPTION_NAMED(BOOL, struct sticky_cookie, http_only, "httpOnly", .help = "Scripts in the browser cannot read it."),
    OPTION_NAMED(ENUM, struct sticky_cookie, same_site, "sameSite", .names = same_sites,
                 .help = "Whether browsers send it with requests that other sites cause."),
    OPTION_NAMED(INT, struct sticky_cookie, max_age, "maxAge", .min = -1, .max = INT64_C(1) << 40,
                 .help = "Seconds that it lives; 0: until the browser is closed; -1: it is removed at once."),
    OPTION(STR, struct sticky_cookie, path, .fallback = "/", .check = check_attribute, .help = "The paths that it is for."),
    OPTION(STR, struct sticky_cookie, domain, .check = check_attribute, .help = "The domain that it is for; none: the host."),
};
static const struct option_table cookie_table =
    OPTION_TABLE(struct sticky_cookie, cookie_options, .summary = "The cookie that names a client's server.");

static const struct option sticky_options[] = {
    OPTION(OBJECT, struct sticky_config, cookie, .table = &cookie_table, .help = "Stickiness by a cookie."),
    OPTION(STRS, struct sticky_config, route,
           .help = "Stickiness by what the request says: texts with variables, the first that is not empty is the `route` of a server."),
};
const struct option_table sticky_table =
    OPTION_TABLE(struct sticky_config, sticky_options, .summary = "A client keeps the server that it had first.");

static struct str default_name(struct str service, struct arena *arena)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char digits[HEX_ENCODED_SIZE(EVP_MAX_MD_SIZE)];
    unsigned length = 0;
    EVP_Digest(service.data, service.len, digest, &length, EVP_sha1(), NULL);
    hex_encode(str_of((char *)digest, length), digits);
    return arena_printf(arena, "_%.5s", digits);
}

static struct str attributes_of(const struct sticky_cookie *cookie, struct arena *arena)
{
    static const char *const same_site_texts[] = {"", "; SameSite=None", "; SameSite=Lax", "; SameSite=Strict"};
    struct str age = STR_NONE;
    if (cookie->max_age != 0)
        age = arena_printf(arena, "; Max-Age=%" PRId64, cookie->max_age > 0 ? cookie->max_age : 0);
    return arena_printf(arena, "%s%.*s%s%.*s%.*s%s%s%s", str_empty(cookie->path) ? "" : "; Path=",
                        STR_ARGS(cookie->path), str_empty(cookie->domain) ? "" : "; Domain=", STR_ARGS(cookie->domain),
                        STR_ARGS(age), cookie->http_only ? "; HttpOnly" : "", cookie->secure ? "; Secure" : "",
                        same_site_texts[cookie->same_site]);
}

const struct sticky *sticky_compile(const struct sticky_config *config, struct str service, struct compile *compile)
{
    if (config == NULL || (config->cookie == NULL && config->route.count == 0))
        return NULL;
    const struct sticky_cookie *cookie = config->cookie;
    struct sticky *sticky = arena_new(compile->arena, struct sticky);
    if (cookie != NULL) {
        sticky->name = str_empty(cookie->name) ? default_name(service, compile->arena) : cookie->name;
        sticky->attributes = attributes_of(cookie, compile->arena);
    }
    sticky->route = arena_array(compile->arena, const struct text_template *, config->route.count);
    for (size_t i = 0; i < config->route.count; i++) {
        sticky->route[i] = text_template_new(config->route.items[i], compile, node_span(node_get(config->origin, S("route"))));
        if (sticky->route[i] != NULL)
            sticky->route_count++;
    }
    return sticky;
}

struct str sticky_route(const struct sticky *sticky, struct exchange *x)
{
    for (unsigned i = 0; i < sticky->route_count; i++) {
        struct str name = text_template_text(sticky->route[i], x);
        if (name.len != 0)
            return name;
    }
    return STR_NONE;
}

bool sticky_wanted(const struct sticky *sticky, const struct request *request, uint64_t *ret_id)
{
    struct str value = sticky->name.len != 0 ? cookie_value(&request->fields, sticky->name) : STR_NONE;
    unsigned char bytes[8];
    if (value.len != HEX_ENCODED_SIZE(sizeof(bytes)) || !hex_decode(value, bytes))
        return false;
    uint64_t id = 0;
    for (size_t i = 0; i < sizeof(bytes); i++)
        id = id << 8 | bytes[i];
    *ret_id = id;
    return true;
}

void sticky_answer(const struct sticky *sticky, struct exchange *x, uint64_t id)
{
    uint64_t had;
    if (sticky->name.len == 0)
        return;
    if (sticky_wanted(sticky, exchange_request(x), &had) && had == id)
        return;
    struct str cookie = arena_printf(&x->arena, "%.*s=%016" PRIx64 "%.*s", STR_ARGS(sticky->name), id,
                                     STR_ARGS(sticky->attributes));
    if (cookie.data != NULL)
        fields_add_id(&x->response.fields, FIELD_SET_COOKIE, cookie);
}
