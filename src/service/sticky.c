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
    OPTION_NAMED(STR, struct sticky_cookie, same_site_text, "sameSiteText",
                 .help = "The same as a text with variables, for each response: \"none\", \"lax\" or \"strict\", where it is something else "
                         "strict, and where it is empty nothing is said. Goes before sameSite."),
    OPTION_NAMED(INT, struct sticky_cookie, max_age, "maxAge", .min = -1, .max = INT64_C(1) << 40,
                 .help = "Seconds that it lives; 0: until the browser is closed; -1: it is removed at once."),
    OPTION(STR, struct sticky_cookie, path, .fallback = "/", .check = check_attribute, .help = "The paths that it is for."),
    OPTION(BOOL, struct sticky_cookie, always,
           .help = "Set it with each response, so that its maxAge begins anew; otherwise where the client has not this one."),
    OPTION(STR, struct sticky_cookie, domain, .check = check_attribute, .help = "The domain that it is for, a text with variables; none, or one that comes out empty: the host."),
};
static const struct option_table cookie_table =
    OPTION_TABLE(struct sticky_cookie, cookie_options, .summary = "The cookie that names a client's server.");

static const struct option learn_options[] = {
    OPTION(STRS, struct sticky_learn, create, .required = true,
           .help = "What names a session that begins: texts with variables (\"${upstream_cookie_session}\"), the first that is not empty."),
    OPTION(STRS, struct sticky_learn, lookup, .required = true,
           .help = "What names a session that a request belongs to, likewise (\"${cookie_session}\")."),
    OPTION(DURATION, struct sticky_learn, timeout, .fallback = "10m", .min = 1000000, .max = INT64_MAX,
           .help = "Time after which a session that was not used is forgotten."),
    OPTION(INT, struct sticky_learn, max, .fallback = "8000", .min = 1, .max = 100000000,
           .help = "Sessions that are remembered; beyond it the one that was not used for longest is forgotten."),
    OPTION_NAMED(BOOL, struct sticky_learn, on_head, "onHead",
                 .help = "A session is learnt when a response begins; otherwise when it has ended."),
};
static const struct option_table learn_table =
    OPTION_TABLE(struct sticky_learn, learn_options, .summary = "Sessions of the application, as they pass.");

static const struct option sticky_options[] = {
    OPTION(OBJECT, struct sticky_config, cookie, .table = &cookie_table, .help = "Stickiness by a cookie."),
    OPTION(STRS, struct sticky_config, route,
           .help = "Stickiness by what the request says: texts with variables, the first that is not empty is the `route` of a server."),
    OPTION(OBJECT, struct sticky_config, learn, .table = &learn_table, .help = "Stickiness by sessions that the application has made."),
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

static const char *const same_site_texts[] = {"", "; SameSite=None", "; SameSite=Lax", "; SameSite=Strict"};

/* What is the same in each response. */
static struct str attributes_of(const struct sticky_cookie *cookie, struct arena *arena)
{
    struct str age = STR_NONE, domain = text_template_is_in(cookie->domain) ? STR_NONE : cookie->domain;
    if (cookie->max_age != 0)
        age = arena_printf(arena, "; Max-Age=%" PRId64, cookie->max_age > 0 ? cookie->max_age : 0);
    return arena_printf(arena, "%s%.*s%s%.*s%.*s%s%s%s", str_empty(cookie->path) ? "" : "; Path=",
                        STR_ARGS(cookie->path), str_empty(domain) ? "" : "; Domain=", STR_ARGS(domain),
                        STR_ARGS(age), cookie->http_only ? "; HttpOnly" : "", cookie->secure ? "; Secure" : "",
                        str_empty(cookie->same_site_text) ? same_site_texts[cookie->same_site] : "");
}

static const struct text_template *compile_text(struct str text, const struct sticky_cookie *cookie, const char *key, struct compile *compile)
{
    return text_template_new(text, compile, node_span(node_get(cookie->origin, str_from(key))));
}

static void compile_cookie(struct sticky *sticky, const struct sticky_cookie *cookie, struct str service, struct compile *compile)
{
    sticky->name = str_empty(cookie->name) ? default_name(service, compile->arena) : cookie->name;
    sticky->attributes = attributes_of(cookie, compile->arena);
    sticky->always = cookie->always;
    if (text_template_is_in(cookie->domain))
        sticky->domain = compile_text(cookie->domain, cookie, "domain", compile);
    if (!str_empty(cookie->same_site_text))
        sticky->same_site = compile_text(cookie->same_site_text, cookie, "sameSiteText", compile);
}

static struct sticky_texts compile_texts(const struct strs *texts, struct span span, struct compile *compile)
{
    struct sticky_texts all = {.items = arena_array(compile->arena, const struct text_template *, texts->count)};
    for (size_t i = 0; i < texts->count; i++) {
        all.items[all.count] = text_template_new(texts->items[i], compile, span);
        if (all.items[all.count] != NULL)
            all.count++;
    }
    return all;
}

/* Sessions outlive graphs. */
static void compile_learn(struct sticky *sticky, const struct sticky_learn *learn, struct str service, struct compile *compile)
{
    struct str key = arena_printf(compile->arena, "sticky|%.*s", STR_ARGS(service));
    sticky->lookup = compile_texts(&learn->lookup, node_span(node_get(learn->origin, S("lookup"))), compile);
    sticky->create = compile_texts(&learn->create, node_span(node_get(learn->origin, S("create"))), compile);
    sticky->sessions = compile_shared(compile, key, sizeof(struct sessions), sessions_init, sessions_release);
    sticky->timeout = learn->timeout;
    sticky->max = (unsigned)learn->max;
    sticky->on_head = learn->on_head;
}

const struct sticky *sticky_compile(const struct sticky_config *config, struct str service, struct compile *compile)
{
    if (config == NULL || (config->cookie == NULL && config->learn == NULL && config->route.count == 0))
        return NULL;
    struct sticky *sticky = arena_new(compile->arena, struct sticky);
    if (config->cookie != NULL)
        compile_cookie(sticky, config->cookie, service, compile);
    sticky->route = compile_texts(&config->route, node_span(node_get(config->origin, S("route"))), compile);
    if (config->learn != NULL)
        compile_learn(sticky, config->learn, service, compile);
    return sticky;
}

static struct str first_text(const struct sticky_texts *texts, struct exchange *x)
{
    for (unsigned i = 0; i < texts->count; i++) {
        struct str text = text_template_text(texts->items[i], x);
        if (text.len != 0)
            return text;
    }
    return STR_NONE;
}

struct str sticky_route(const struct sticky *sticky, struct exchange *x)
{
    return first_text(&sticky->route, x);
}

/* ---- sessions ---- */

bool sticky_session(const struct sticky *sticky, struct exchange *x, uint64_t *ret_id)
{
    struct str name = sticky->sessions != NULL ? first_text(&sticky->lookup, x) : STR_NONE;
    return name.len != 0 && sessions_find(sticky->sessions, name, exchange_now(x), sticky->timeout, ret_id);
}

/* What is learnt when the exchange has ended; the pinned graph holds `sticky`. */
struct lesson {
    struct keepsake keepsake;
    const struct sticky *sticky;
    struct exchange *x;
    struct str name;
    uint64_t id;
    bool create;
};

static void learn(const struct lesson *lesson)
{
    const struct sticky *sticky = lesson->sticky;
    sessions_learn(sticky->sessions, lesson->name, lesson->id, lesson->create, sticky->max, exchange_now(lesson->x), sticky->timeout);
}

static void learn_at_the_end(struct keepsake *keepsake)
{
    learn(container_of(keepsake, struct lesson, keepsake));
}

/* A new name begins a session; the one that the request came with goes on. */
void sticky_learn(const struct sticky *sticky, struct exchange *x, uint64_t id)
{
    if (sticky->sessions == NULL)
        return;
    struct lesson lesson = {.keepsake = {.release = learn_at_the_end, .owner = sticky}, .sticky = sticky, .x = x, .id = id, .create = true};
    lesson.name = first_text(&sticky->create, x);
    if (lesson.name.len == 0) {
        lesson.create = false;
        lesson.name = first_text(&sticky->lookup, x);
    }
    if (lesson.name.len == 0)
        return;
    if (sticky->on_head) {
        learn(&lesson);
        return;
    }
    struct lesson *kept = arena_alloc(&x->arena, sizeof(*kept));
    if (kept == NULL)
        return;
    *kept = lesson;
    kept->name = arena_str(&x->arena, lesson.name);
    exchange_keep(x, &kept->keepsake);
}

/* ---- the cookie ---- */

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

/* A value that would end the attribute, or the field, is none. */
static struct str domain_now(const struct sticky *sticky, struct exchange *x)
{
    struct str text = sticky->domain != NULL ? text_template_text(sticky->domain, x) : STR_NONE;
    return check_attribute(text, NULL, NULL, NULL) == NULL ? text : STR_NONE;
}

static const char *same_site_now(const struct sticky *sticky, struct exchange *x)
{
    struct str text = sticky->same_site != NULL ? text_template_text(sticky->same_site, x) : STR_NONE;
    if (text.len == 0)
        return "";
    for (const struct option_name *name = same_sites; name->name != NULL; name++)
        if (str_equal_nocase(text, str_from(name->name)))
            return same_site_texts[name->value];
    return same_site_texts[SAME_SITE_STRICT];
}

void sticky_answer(const struct sticky *sticky, struct exchange *x, uint64_t id)
{
    uint64_t had;
    if (sticky->name.len == 0)
        return;
    if (!sticky->always && sticky_wanted(sticky, exchange_request(x), &had) && had == id)
        return;
    struct str domain = domain_now(sticky, x);
    struct str cookie = arena_printf(&x->arena, "%.*s=%016" PRIx64 "%.*s%s%.*s%s", STR_ARGS(sticky->name), id,
                                     STR_ARGS(sticky->attributes), domain.len != 0 ? "; Domain=" : "", STR_ARGS(domain),
                                     same_site_now(sticky, x));
    if (cookie.data != NULL)
        fields_add_id(&x->response.fields, FIELD_SET_COOKIE, cookie);
}
