/* The options of `headers` and its three parts: fields of the user's own, CORS, and security.
 * Threading: what is compiled is const. */
#ifndef MIDDLEWARE_HEADERS_H
#define MIDDLEWARE_HEADERS_H

#include "middleware/field_edits.h"
#include "middleware/regexes.h"
#include "exchange/middleware.h"

struct headers {
    const struct node *origin;
    struct strmap custom_request_headers, custom_response_headers;

    bool access_control_allow_credentials, add_vary_header;
    struct strs access_control_allow_headers, access_control_allow_methods,
        access_control_expose_headers;
    struct strs access_control_allow_origin_list, access_control_allow_origin_list_regex;
    int64_t access_control_max_age;

    struct strs allowed_hosts, hosts_proxy_headers;
    struct strmap ssl_proxy_headers;
    int64_t sts_seconds;
    bool sts_include_subdomains, sts_preload, force_sts_header;
    bool frame_deny, content_type_nosniff, browser_xss_filter, is_development;
    struct str custom_frame_options_value, custom_browser_xss_value;
    struct str content_security_policy, content_security_policy_report_only;
    struct str public_key, referrer_policy, permissions_policy;
};

/* --- CORS (the Fetch standard 3.2) --- */
struct headers_cors {
    bool enabled, credentials, vary;
    const struct strs *origins;
    struct regexes origin_regexes;
    struct str allow_headers, allow_methods, expose_headers, max_age;
};
bool headers_cors_compile(struct headers_cors *cors, const struct headers *options,
                          struct compile *compile);
void headers_cors_release(struct headers_cors *cors);
/* A preflight request is one that is answered here. */
bool headers_cors_is_preflight(const struct headers_cors *cors, const struct request *request);
void headers_cors_answer_preflight(const struct headers_cors *cors, struct exchange *x);
/* False when memory ran out. */
bool headers_cors_apply(const struct headers_cors *cors, struct exchange *x);

/* --- security --- */
struct headers_security {
    const struct strs *allowed_hosts, *hosts_proxy_headers; /* NULL: any host */
    const struct strmap *ssl_proxy_headers;
    struct field_edits always, over_tls;
};
bool headers_security_compile(struct headers_security *security, const struct headers *options,
                              struct compile *compile);
bool headers_security_allows_host(const struct headers_security *security,
                                  const struct request *request);
/* False when memory ran out. */
bool headers_security_apply(const struct headers_security *security, struct exchange *x);

#endif
