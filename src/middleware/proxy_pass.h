/* proxyPass: what a request looks like to servers, and what is taken over of their responses. The parts of one middleware.
 * Threading: what is compiled is const. */
#ifndef MIDDLEWARE_PROXY_PASS_H
#define MIDDLEWARE_PROXY_PASS_H

#include "exchange/middleware.h"
#include "exchange/outgoing_url.h"
#include "exchange/text_template.h"
#include "route/captures.h"

struct perl_regex;
struct variable;

struct pass_field {
    const struct node *origin;
    struct str name, value;
};
/* One rule of a text that is rewritten. */
struct pass_rewrite {
    const struct node *origin;
    struct str from, to;
};
struct pass_flags {
    const struct node *origin;
    struct str cookie;
    struct strs flags;
};

struct proxy_pass_config {
    const struct node *origin;
    struct str url, scheme, replaces, method, body, limit_rate;
    int version;                      /* enum http_version; 0: the connection's own */
    struct objects fields;            /* struct pass_field */
    bool pass_fields, pass_body, buffer_body;
    struct strs hide, ignore;
    struct objects redirects, cookie_domains, cookie_paths;      /* struct pass_rewrite */
    struct objects cookie_flags;      /* struct pass_flags */
    bool pass_trailers;
    struct strs early_hints;
};

/* ---- compiled ---- */

struct set_field {
    struct str name;
    enum field_id id;
    const struct text_template *value;
};

/* X-Accel-*: what a server may order. */
enum accel {
    ACCEL_REDIRECT = 1,
    ACCEL_LIMIT_RATE = 2,
    ACCEL_CHARSET = 4,
};

struct text_rewrite {
    const struct perl_regex *regex;   /* NULL: `from` is a text */
    const struct text_template *from, *to;
};
struct text_rewrites {
    struct text_rewrite *items;
    unsigned count;
};

struct cookie_flags_rule {
    const struct perl_regex *regex;   /* NULL: `cookie` is its name */
    const struct text_template *cookie;
    const struct text_template **flags;
    unsigned count;
};

struct proxy_pass {
    const struct proxy_pass_config *config;
    const struct text_template *url;  /* NULL: none, or `constant_url` */
    struct outgoing_url constant_url;
    const struct text_template *method, *body;      /* NULL: the client's */
    struct set_field *fields;
    unsigned field_count;
    uint64_t field_ids;               /* a bit for each known one */
    bool names_host;
    uint64_t hidden_ids;
    struct str *hidden;               /* the others, by name */
    unsigned hidden_count;
    unsigned accel;                   /* enum accel: those that are obeyed */
    const struct variable *limit_rate;      /* NULL: not obeyed */
    const struct text_template *server_rate;      /* NULL: servers are read as fast as clients take it */
    struct text_rewrites redirects, cookie_domains, cookie_paths;
    struct cookie_flags_rule *cookie_flags;
    unsigned cookie_flag_count;
    const struct text_template **hints;     /* any of them with a value lets early hints pass */
    unsigned hint_count;
};

/* proxy_pass_request.c: makes x->outgoing. False: an answer was made. */
bool proxy_pass_request(const struct proxy_pass *pass, struct exchange *x);
/* proxy_pass_response.c. */
enum verdict proxy_pass_response(const struct proxy_pass *pass, struct exchange *x);
/* proxy_pass_cookies.c: one value of Set-Cookie as it shall be; itself where nothing changes. */
struct str proxy_pass_cookie(const struct proxy_pass *pass, struct exchange *x, struct str cookie);

/* proxy_pass_rewrite.c. True: *text was changed by the first rule that matches. Whole texts, or the beginning of one. */
enum rewrite_kind { REWRITE_START, REWRITE_DOMAIN };
bool text_rewrites_compile(struct text_rewrites *rewrites, const struct objects *config, enum rewrite_kind kind, struct compile *compile);
bool text_rewrites_apply(const struct text_rewrites *rewrites, enum rewrite_kind kind, struct exchange *x, struct str *text);
/* "~pattern" (case ignored) and "~*pattern"; `sensitive`: "~" minds case. NULL after an error; *ret_is_regex says if it is one. */
const struct perl_regex *rewrite_regex(struct str text, bool sensitive, struct compile *compile, struct span span, bool *ret_is_regex);

#endif
