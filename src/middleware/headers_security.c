/* Fields that tell browsers to be careful, and the list of hosts that are served at all. */
#include "middleware/headers.h"

#include "http/token.h"

#define ALWAYS_MAX 8

static struct str strict_transport(const struct headers *options, struct arena *arena)
{
    return arena_printf(arena, "max-age=%lld%s%s", (long long)options->sts_seconds,
                        options->sts_include_subdomains ? "; includeSubDomains" : "",
                        options->sts_preload ? "; preload" : "");
}

/* A text option as a field; false when it is no field value. */
static bool add_text(struct field_edits *edits, const char *name, struct str value, const char *key,
                     const struct headers *options, struct compile *compile)
{
    if (value.len == 0)
        return true;
    if (!token_is_field_value(value)) {
        diag_error(compile->diag, node_span(node_get(options->origin, str_from(key))),
                   "'%s' has bytes that no header field may hold", key);
        return false;
    }
    field_edits_add(edits, str_from(name), value);
    return true;
}

static struct str chosen(struct str custom, bool usual_wanted, struct str usual)
{
    return custom.len != 0 ? custom : usual_wanted ? usual : STR_NONE;
}

static bool compile_fields(struct headers_security *security, const struct headers *options,
                           struct compile *compile)
{
    const struct {
        struct field_edits *edits;
        const char *name;
        struct str value;
        const char *key;
    } fields[] = {
        {&security->always, "X-Frame-Options",
         chosen(options->custom_frame_options_value, options->frame_deny, S("DENY")),
         "customFrameOptionsValue"},
        {&security->always, "X-Content-Type-Options",
         chosen(STR_NONE, options->content_type_nosniff, S("nosniff")), "contentTypeNosniff"},
        {&security->always, "X-XSS-Protection",
         chosen(options->custom_browser_xss_value, options->browser_xss_filter, S("1; mode=block")),
         "customBrowserXSSValue"},
        {&security->always, "Content-Security-Policy", options->content_security_policy,
         "contentSecurityPolicy"},
        {&security->always, "Content-Security-Policy-Report-Only",
         options->content_security_policy_report_only, "contentSecurityPolicyReportOnly"},
        {&security->always, "Referrer-Policy", options->referrer_policy, "referrerPolicy"},
        {&security->always, "Permissions-Policy", options->permissions_policy, "permissionsPolicy"},
        {&security->over_tls, "Public-Key-Pins",
         options->is_development ? STR_NONE : options->public_key, "publicKey"},
    };
    bool good = true;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        good &= add_text(fields[i].edits, fields[i].name, fields[i].value, fields[i].key, options,
                         compile);
    return good;
}

bool headers_security_compile(struct headers_security *security, const struct headers *options,
                              struct compile *compile)
{
    field_edits_init(&security->always, ALWAYS_MAX, compile->arena);
    field_edits_init(&security->over_tls, 2, compile->arena);
    security->ssl_proxy_headers = &options->ssl_proxy_headers;
    if (options->allowed_hosts.count != 0 && !options->is_development) {
        security->allowed_hosts = &options->allowed_hosts;
        security->hosts_proxy_headers = &options->hosts_proxy_headers;
    }
    if (options->sts_seconds != 0 && !options->is_development)
        field_edits_add(options->force_sts_header ? &security->always : &security->over_tls,
                        S("Strict-Transport-Security"), strict_transport(options, compile->arena));
    return compile_fields(security, options, compile);
}

/* The host that the client asked for: of the first proxy field that says so, else Host. */
static struct str asked_host(const struct headers_security *security, const struct request *request)
{
    const struct strs *names = security->hosts_proxy_headers;
    for (size_t i = 0; i < names->count; i++) {
        struct str value = fields_value_name(&request->fields, names->items[i]);
        if (value.len != 0)
            return value;
    }
    return request->authority;
}

/* "example.com" allows every port, "example.com:8443" that one. */
bool headers_security_allows_host(const struct headers_security *security,
                                  const struct request *request)
{
    if (security->allowed_hosts == NULL)
        return true;
    struct str asked = asked_host(security, request), host = asked;
    ptrdiff_t colon = str_find_last_char(asked, ':');
    if (colon >= 0 && str_find_char(asked, ']', (size_t)colon) < 0)
        host = str_first(asked, (size_t)colon);
    for (size_t i = 0; i < security->allowed_hosts->count; i++) {
        struct str allowed = security->allowed_hosts->items[i];
        if (str_equal_nocase(allowed, asked) || str_equal_nocase(allowed, host))
            return true;
    }
    return false;
}

static bool is_over_tls(const struct headers_security *security, struct exchange *x)
{
    if (x->stream.client->tls)
        return true;
    for (size_t i = 0; i < security->ssl_proxy_headers->count; i++) {
        const struct strmap_item *item = &security->ssl_proxy_headers->items[i];
        if (str_equal(fields_value_name(&exchange_request(x)->fields, item->name), item->value))
            return true;
    }
    return false;
}

bool headers_security_apply(const struct headers_security *security, struct exchange *x)
{
    struct fields *fields = &x->response.fields;
    return field_edits_apply(&security->always, fields) &&
           (security->over_tls.count == 0 || !is_over_tls(security, x) ||
            field_edits_apply(&security->over_tls, fields));
}
