/* Sets and removes fields of requests and responses. On a request: first CORS (a preflight is
 * answered), then the user's fields, then the check of the host. On a response in reverse:
 * security, the user's fields, CORS. */
#include "middleware/headers.h"

#include "http/uri.h"
#include "middleware/answer.h"

struct headers_state {
    struct field_edits request, response;
    struct str authority, host; /* "Host" among the request's edits; empty: none */
    struct headers_cors cors;
    struct headers_security security;
};

#define HEADER(kind, member, key, ...) OPTION_NAMED(kind, struct headers, member, key, __VA_ARGS__)
static const struct option headers_options[] = {
    HEADER(STRMAP, custom_request_headers, "customRequestHeaders",
           .help = "Fields of the request to set; an empty value removes the field."),
    HEADER(STRMAP, custom_response_headers, "customResponseHeaders",
           .help = "Fields of the response to set; an empty value removes the field."),
    HEADER(BOOL, access_control_allow_credentials, "accessControlAllowCredentials",
           .help = "CORS: scripts may send credentials."),
    HEADER(STRS, access_control_allow_headers, "accessControlAllowHeaders",
           .help = "CORS: fields that scripts may send; part of the answer to preflights."),
    HEADER(STRS, access_control_allow_methods, "accessControlAllowMethods",
           .help = "CORS: methods that scripts may use; part of the answer to preflights."),
    HEADER(STRS, access_control_allow_origin_list, "accessControlAllowOriginList",
           .help = "CORS: origins that may read responses; '*' for all."),
    HEADER(STRS, access_control_allow_origin_list_regex, "accessControlAllowOriginListRegex",
           .help = "CORS: regular expressions for such origins."),
    HEADER(STRS, access_control_expose_headers, "accessControlExposeHeaders",
           .help = "CORS: fields of responses that scripts may read."),
    HEADER(INT, access_control_max_age, "accessControlMaxAge", .min = -1, .max = INT32_MAX,
           .help = "CORS: seconds for which a preflight's answer may be kept."),
    HEADER(BOOL, add_vary_header, "addVaryHeader", .help = "Add 'Vary: Origin' to responses."),
    HEADER(STRS, allowed_hosts, "allowedHosts",
           .help = "Hosts that are served; others get 421. Empty: all."),
    HEADER(STRS, hosts_proxy_headers, "hostsProxyHeaders",
           .help = "Fields that may hold the host that a client asked for, in place of Host."),
    HEADER(STRMAP, ssl_proxy_headers, "sslProxyHeaders",
           .help = "Fields and values that say that the client's connection is encrypted."),
    HEADER(INT, sts_seconds, "stsSeconds", .min = 0, .max = INT32_MAX,
           .help = "max-age of Strict-Transport-Security; 0: the field is not sent."),
    HEADER(BOOL, sts_include_subdomains, "stsIncludeSubdomains",
           .help = "includeSubDomains in Strict-Transport-Security."),
    HEADER(BOOL, sts_preload, "stsPreload", .help = "preload in Strict-Transport-Security."),
    HEADER(BOOL, force_sts_header, "forceSTSHeader",
           .help = "Send Strict-Transport-Security over plain connections too."),
    HEADER(BOOL, frame_deny, "frameDeny", .help = "X-Frame-Options: DENY."),
    HEADER(STR, custom_frame_options_value, "customFrameOptionsValue",
           .help = "X-Frame-Options with this value, before frameDeny."),
    HEADER(BOOL, content_type_nosniff, "contentTypeNosniff",
           .help = "X-Content-Type-Options: nosniff."),
    HEADER(BOOL, browser_xss_filter, "browserXssFilter",
           .help = "X-XSS-Protection: 1; mode=block."),
    HEADER(STR, custom_browser_xss_value, "customBrowserXSSValue",
           .help = "X-XSS-Protection with this value, before browserXssFilter."),
    HEADER(STR, content_security_policy, "contentSecurityPolicy",
           .help = "Content-Security-Policy."),
    HEADER(STR, content_security_policy_report_only, "contentSecurityPolicyReportOnly",
           .help = "Content-Security-Policy-Report-Only."),
    HEADER(STR, public_key, "publicKey", .help = "Public-Key-Pins (over TLS)."),
    HEADER(STR, referrer_policy, "referrerPolicy", .help = "Referrer-Policy."),
    HEADER(STR, permissions_policy, "permissionsPolicy", .help = "Permissions-Policy."),
    HEADER(BOOL, is_development, "isDevelopment",
           .help = "Leave out allowedHosts, Strict-Transport-Security and Public-Key-Pins."),
    {.name = "sslRedirect",
     .removed = "use the middleware 'redirectScheme', or a redirection of the entrypoint",
     .help = "Removed in version 3."},
    {.name = "sslTemporaryRedirect",
     .removed = "use the middleware 'redirectScheme' without 'permanent'",
     .help = "Removed in version 3."},
    {.name = "sslHost",
     .removed = "use the middleware 'redirectRegex'",
     .help = "Removed in version 3."},
    {.name = "sslForceHost",
     .removed = "use the middleware 'redirectRegex'",
     .help = "Removed in version 3."},
    {.name = "featurePolicy",
     .removed = "use 'permissionsPolicy'",
     .help = "Removed in version 3."},
};
static const struct option_table headers_table =
    OPTION_TABLE(struct headers, headers_options,
                 .summary = "Sets and removes fields of requests and responses.");

/* "Host" is no field like others: the request's authority goes out as Host. */
static bool take_host(struct headers_state *state, const struct headers *options,
                      struct compile *compile)
{
    struct field_edits *edits = &state->request;
    for (size_t i = 0; i < edits->count; i++) {
        if (edits->items[i].id != FIELD_HOST)
            continue;
        uint16_t port;
        struct str value = edits->items[i].value;
        edits->items[i] = edits->items[--edits->count];
        if (value.len != 0 && uri_split_authority(compile->arena, value, &state->host, &port)) {
            state->authority = value;
            return true;
        }
        const struct node *node =
            node_get(node_get(options->origin, S("customRequestHeaders")), S("Host"));
        diag_error(compile->diag, node_span(node), "'%.*s' is not a host", STR_ARGS(value));
        return false;
    }
    return true;
}

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct headers *options = m->options;
    struct headers_state *state = m->state;
    if (node_first(options->origin) == NULL) {
        diag_error(compile->diag, node_span(options->origin),
                   "'headers' needs at least one option");
        return false;
    }
    bool good = field_edits_compile(&state->request, &options->custom_request_headers,
                                    options->origin, S("customRequestHeaders"), compile);
    good &= take_host(state, options, compile);
    good &= field_edits_compile(&state->response, &options->custom_response_headers,
                                options->origin, S("customResponseHeaders"), compile);
    good &= headers_cors_compile(&state->cors, options, compile);
    good &= headers_security_compile(&state->security, options, compile);
    return good;
}

static void destroy(struct middleware *m)
{
    struct headers_state *state = m->state;
    headers_cors_release(&state->cors);
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct headers_state *state = m->state;
    struct request *request = exchange_request(x);
    if (headers_cors_is_preflight(&state->cors, request)) {
        headers_cors_answer_preflight(&state->cors, x);
        return VERDICT_ANSWER;
    }
    if (!field_edits_apply(&state->request, &request->fields))
        return answer_out_of_memory(x);
    if (state->authority.len != 0) {
        request->authority = state->authority;
        request->host = state->host;
    }
    if (headers_security_allows_host(&state->security, request))
        return VERDICT_NEXT;
    exchange_answer_status(x, status_http(STATUS_HOST_NOT_ALLOWED), STATUS_HOST_NOT_ALLOWED);
    return VERDICT_ANSWER;
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    const struct headers_state *state = m->state;
    if (headers_security_apply(&state->security, x) &&
        field_edits_apply(&state->response, &x->response.fields) &&
        headers_cors_apply(&state->cors, x))
        return VERDICT_NEXT;
    return answer_out_of_memory(x);
}

static const struct middleware_type headers = {
    .choice = {.name = "headers",
               .summary = "Sets and removes fields of requests and responses.",
               .table = &headers_table},
    .state_size = sizeof(struct headers_state),
    .compile = compile,
    .destroy = destroy,
    .pure = true,
    .on_request = on_request,
    .on_response = on_response,
};
REGISTER(middleware_type, headers);
