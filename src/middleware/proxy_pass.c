/* proxyPass: a request is sent on under another path, name and fields than it came with, and the response is taken over in parts. The
 * client's request itself is left alone: logs, variables and other locations see what came. */
#include "middleware/proxy_pass.h"

#include "exchange/variable.h"
#include "http/token.h"

#define BODY_MEMORY (INT64_C(128) << 10)

static const char *check_field(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return token_is_valid(text) ? NULL : "is not the name of a field";
}

static const char *check_scheme(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    bool known = str_equal(text, S("http")) || str_equal(text, S("https")) || str_equal(text, S("grpc")) || str_equal(text, S("grpcs"));
    return known ? NULL : "is none of http, https, grpc and grpcs";
}

static const struct option field_options[] = {
    OPTION(STR, struct pass_field, name, .required = true, .check = check_field, .help = "The field."),
    OPTION(STR, struct pass_field, value, .help = "Its value, with variables; empty: the field is not sent."),
};
static const struct option_table field_table = OPTION_TABLE(struct pass_field, field_options, .summary = "A field that is set.");

static const struct option rewrite_options[] = {
    OPTION(STR, struct pass_rewrite, from, .required = true,
           .help = "What the text begins with (a domain: what it is), with variables; or \"~pattern\", \"~*pattern\"."),
    OPTION(STR, struct pass_rewrite, to, .help = "What takes its place, with variables, ${1} and so on among them."),
};
static const struct option_table rewrite_table =
    OPTION_TABLE(struct pass_rewrite, rewrite_options, .summary = "A text that is rewritten.");

static const struct option flags_options[] = {
    OPTION(STR, struct pass_flags, cookie, .required = true, .help = "The cookie's name, with variables, or \"~pattern\"."),
    OPTION(STRS, struct pass_flags, flags,
           .help = "secure, httponly, samesite=strict, samesite=lax, samesite=none; the same with \"no\" before it takes a flag off."),
};
static const struct option_table flags_table = OPTION_TABLE(struct pass_flags, flags_options, .summary = "A cookie's flags.");

static const struct option_name versions[] = {{"1.0", HTTP_1_0}, {"1.1", HTTP_1_1}, {"2", HTTP_2}, {NULL, 0}};

static const struct option options[] = {
    OPTION(STR, struct proxy_pass_config, url,
           .help = "Where requests go, with variables: its host gives Host, its path takes the place of `replaces`. With variables in it a "
                   "path is sent as it is."),
    OPTION(STR, struct proxy_pass_config, scheme, .check = check_scheme,
           .help = "What a `url` with variables begins with where they come to none: http, https, grpc, grpcs."),
    OPTION(STR, struct proxy_pass_config, replaces, .help = "The beginning of the path that the URL's path takes the place of."),
    OPTION(STR, struct proxy_pass_config, method, .help = "The method, with variables; none: the client's."),
    OPTION(ENUM, struct proxy_pass_config, version, .names = versions, .fallback = "1.1",
           .help = "What a request over HTTP/1 says it is; 2 has no effect by itself: see serversTransports and h2c://."),
    OPTION(LIST, struct proxy_pass_config, fields, .table = &field_table, .help = "Fields that are set instead of the client's."),
    OPTION_NAMED(BOOL, struct proxy_pass_config, pass_fields, "passFields", .fallback = "true", .help = "Send the client's fields."),
    OPTION_NAMED(BOOL, struct proxy_pass_config, pass_body, "passBody", .fallback = "true", .help = "Send the client's body."),
    OPTION_NAMED(BOOL, struct proxy_pass_config, buffer_body, "bufferBody",
                 .help = "Take the whole body before a server is asked: it then has a length, and can be sent again."),
    OPTION(STR, struct proxy_pass_config, body, .help = "A body instead of the client's, with variables."),
    OPTION_NAMED(STR, struct proxy_pass_config, limit_rate, "limitRate",
                 .help = "Bytes a second by which a server's response is read (\"100k\"), with variables; 0 or nothing: no limit."),
    OPTION(STRS, struct proxy_pass_config, hide, .check = check_field, .help = "Fields of responses that are not passed on."),
    OPTION(STRS, struct proxy_pass_config, ignore, .check = check_field,
           .help = "Orders of servers that are not obeyed: X-Accel-Redirect, X-Accel-Limit-Rate, X-Accel-Charset."),
    OPTION(LIST, struct proxy_pass_config, redirects, .table = &rewrite_table, .help = "How Location and Refresh are rewritten."),
    OPTION_NAMED(LIST, struct proxy_pass_config, cookie_domains, "cookieDomains", .table = &rewrite_table,
                 .help = "How the domains of cookies are rewritten."),
    OPTION_NAMED(LIST, struct proxy_pass_config, cookie_paths, "cookiePaths", .table = &rewrite_table,
                 .help = "How the paths of cookies are rewritten."),
    OPTION_NAMED(LIST, struct proxy_pass_config, cookie_flags, "cookieFlags", .table = &flags_table,
                 .help = "Flags that are set on cookies or taken off; the first rule for a cookie counts."),
    OPTION_NAMED(BOOL, struct proxy_pass_config, pass_trailers, "passTrailers", .fallback = "true", .help = "Pass on trailers of responses."),
    OPTION_NAMED(STRS, struct proxy_pass_config, early_hints, "earlyHints", .fallback = "1",
                 .help = "Pass on early hints (103) when one of these texts, with variables, is neither empty nor 0."),
};
static const struct option_table table =
    OPTION_TABLE(struct proxy_pass_config, options, .summary = "What is sent to servers, and taken of their responses.");

/* ---- compiling ---- */

static const struct text_template *template_of(const struct proxy_pass_config *config, struct str text, const char *key, struct compile *compile)
{
    return text_template_new(text, compile, node_span(node_get(config->origin, str_from(key))));
}

static bool compile_url(struct proxy_pass *pass, struct compile *compile)
{
    const struct proxy_pass_config *config = pass->config;
    if (str_empty(config->url))
        return true;
    if (text_template_is_in(config->url))
        return (pass->url = template_of(config, config->url, "url", compile)) != NULL;
    if (outgoing_url_parse(config->url, &pass->constant_url))
        return true;
    diag_error(compile->diag, node_span(node_get(config->origin, S("url"))),
               "'%.*s' is no URL of a server: use http://host[:port][/path], https://..., or http://unix:/path[:/path]", STR_ARGS(config->url));
    return false;
}

static bool compile_fields(struct proxy_pass *pass, struct compile *compile)
{
    const struct objects *fields = &pass->config->fields;
    bool good = true;
    pass->fields = arena_array(compile->arena, struct set_field, fields->count);
    for (size_t i = 0; i < fields->count; i++) {
        const struct pass_field *config = fields->items[i].value;
        struct set_field *field = &pass->fields[pass->field_count++];
        field->name = config->name;
        field->id = field_identify(config->name.data, config->name.len);
        field->value = text_template_new(config->value, compile, node_span(node_get(config->origin, S("value"))));
        if (field->id != FIELD_OTHER)
            pass->field_ids |= UINT64_C(1) << field->id;
        good &= field->value != NULL;
    }
    return good;
}

static void compile_hidden(struct proxy_pass *pass, struct compile *compile)
{
    const struct strs *names = &pass->config->hide;
    pass->hidden = arena_array(compile->arena, struct str, names->count);
    for (size_t i = 0; i < names->count; i++) {
        enum field_id id = field_identify(names->items[i].data, names->items[i].len);
        if (id != FIELD_OTHER)
            pass->hidden_ids |= UINT64_C(1) << id;
        else
            pass->hidden[pass->hidden_count++] = names->items[i];
    }
}

static bool is_ignored(const struct proxy_pass *pass, const char *name)
{
    const struct strs *names = &pass->config->ignore;
    for (size_t i = 0; i < names->count; i++)
        if (str_equal_nocase(names->items[i], str_from(name)))
            return true;
    return false;
}

static bool compile_accel(struct proxy_pass *pass, struct compile *compile)
{
    pass->accel = (is_ignored(pass, "X-Accel-Redirect") ? 0U : ACCEL_REDIRECT) |
                  (is_ignored(pass, "X-Accel-Limit-Rate") ? 0U : ACCEL_LIMIT_RATE) |
                  (is_ignored(pass, "X-Accel-Charset") ? 0U : ACCEL_CHARSET);
    if ((pass->accel & ACCEL_LIMIT_RATE) != 0)
        pass->limit_rate = variable_find(S("limit_rate"), compile, SPAN_NONE);
    return (pass->accel & ACCEL_LIMIT_RATE) == 0 || pass->limit_rate != NULL;
}

static const struct text_template **compile_texts(const struct strs *texts, struct compile *compile, struct span span)
{
    const struct text_template **templates = arena_array(compile->arena, const struct text_template *, texts->count);
    for (size_t i = 0; i < texts->count; i++)
        if ((templates[i] = text_template_new(texts->items[i], compile, span)) == NULL)
            return NULL;
    return templates;
}

static bool compile_flags(struct proxy_pass *pass, struct compile *compile)
{
    const struct objects *rules = &pass->config->cookie_flags;
    pass->cookie_flags = arena_array(compile->arena, struct cookie_flags_rule, rules->count);
    for (size_t i = 0; i < rules->count; i++) {
        const struct pass_flags *config = rules->items[i].value;
        struct cookie_flags_rule *rule = &pass->cookie_flags[pass->cookie_flag_count++];
        struct span span = node_span(node_get(config->origin, S("cookie")));
        bool is_regex;
        rule->regex = rewrite_regex(config->cookie, false, compile, span, &is_regex);
        rule->cookie = is_regex ? NULL : text_template_new(config->cookie, compile, span);
        rule->count = (unsigned)config->flags.count;
        rule->flags = compile_texts(&config->flags, compile, node_span(node_get(config->origin, S("flags"))));
        if ((rule->regex == NULL && rule->cookie == NULL) || rule->flags == NULL)
            return false;
    }
    return true;
}

static bool compile_response(struct proxy_pass *pass, struct compile *compile)
{
    const struct proxy_pass_config *config = pass->config;
    compile_hidden(pass, compile);
    pass->hint_count = (unsigned)config->early_hints.count;
    pass->hints = compile_texts(&config->early_hints, compile, node_span(node_get(config->origin, S("earlyHints"))));
    return pass->hints != NULL && compile_accel(pass, compile) && compile_flags(pass, compile) &&
           text_rewrites_compile(&pass->redirects, &config->redirects, REWRITE_START, compile) &&
           text_rewrites_compile(&pass->cookie_domains, &config->cookie_domains, REWRITE_DOMAIN, compile) &&
           text_rewrites_compile(&pass->cookie_paths, &config->cookie_paths, REWRITE_START, compile);
}

static bool compile_rate(struct proxy_pass *pass, struct compile *compile)
{
    const struct proxy_pass_config *config = pass->config;
    int64_t bytes;
    if (!text_template_is_in(config->limit_rate) && (!size_parse(config->limit_rate, &bytes) || bytes < 0)) {
        diag_error(compile->diag, node_span(node_get(config->origin, S("limitRate"))), "'%.*s' is not a size", STR_ARGS(config->limit_rate));
        return false;
    }
    pass->server_rate = template_of(config, config->limit_rate, "limitRate", compile);
    return pass->server_rate != NULL;
}

static bool compile(struct middleware *m, struct compile *compile)
{
    struct proxy_pass *pass = m->state;
    const struct proxy_pass_config *config = pass->config = m->options;
    bool good = compile_url(pass, compile) && compile_fields(pass, compile) && compile_response(pass, compile);
    if (!str_empty(config->method))
        good &= (pass->method = template_of(config, config->method, "method", compile)) != NULL;
    if (!str_empty(config->limit_rate))
        good &= compile_rate(pass, compile);
    if (config->body.data != NULL)
        good &= (pass->body = template_of(config, config->body, "body", compile)) != NULL;
    return good;
}

/* ---- hooks ---- */

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct proxy_pass *pass = m->state;
    bool holds = pass->config->buffer_body || pass->config->version == HTTP_1_0;
    if (holds && x->stream.request.has_body) {
        enum exchange_hold hold = exchange_hold_body(x, 0, BODY_MEMORY);
        if (hold != HOLD_READY)
            return hold == HOLD_WAIT ? VERDICT_WAIT : VERDICT_ANSWER;
    }
    return proxy_pass_request(pass, x) ? VERDICT_NEXT : VERDICT_ANSWER;
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    return proxy_pass_response(m->state, x);
}

static const struct middleware_type proxy_pass = {
    .choice = {.name = "proxyPass", .summary = "What is sent to servers, and taken of their responses.", .table = &table},
    .state_size = sizeof(struct proxy_pass),
    .compile = compile,
    .on_request = on_request,
    .on_response = on_response,
};
REGISTER(middleware_type, proxy_pass);
