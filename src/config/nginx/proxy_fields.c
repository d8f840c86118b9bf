/* What proxy_* and grpc_* say of fields: those that servers get, those of responses that clients do not, and how what names a server
 * is rewritten. */
#include "config/nginx/upstream.h"

static const struct nginx_directive *all(const struct nginx_place *place, const char *prefix, const char *rest)
{
    return nginx_all(place->scope, arena_printf(place->compile->arena, "%s_%s", prefix, rest).data);
}

static bool is_listed(const struct node *list, const char *name)
{
    NODE_FOREACH(list, item) {
        const struct node *it = node_get(item, S("name"));
        if (it != NULL && str_equal_nocase(it->text, str_from(name)))
            return true;
    }
    return false;
}

static void put_field(struct nginx_compile *compile, struct node *fields, struct str name, struct str value, struct span span)
{
    struct node *item = nginx_add_map(compile, fields, span);
    nginx_put(compile, item, "name", name, span);
    nginx_put(compile, item, "value", value, span);
}

/* Where nobody sets them, they are not passed on: what holds for one connection is another one's business. */
void nginx_put_fields(struct nginx_place *place, const char *prefix, struct node *options)
{
    static const char *const dropped[] = {"Connection", "Upgrade", "TE", "Expect"};
    struct nginx_compile *compile = place->compile;
    struct node *fields = nginx_put_list(compile, options, "fields", options->span);
    for (const struct nginx_directive *it = all(place, prefix, "set_header"); it != NULL; it = nginx_same(it))
        if (it->count == 2)
            put_field(compile, fields, it->words[0].text, nginx_template(compile, &it->words[1]), it->words[1].span);
    for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
        if (!is_listed(fields, dropped[i]) && !(strcmp(prefix, "grpc") == 0 && strcmp(dropped[i], "TE") == 0))
            put_field(compile, fields, str_from(dropped[i]), S(""), options->span);
}

/* ---- responses ---- */

static bool is_passed(const struct nginx_place *place, const char *prefix, struct str name)
{
    for (const struct nginx_directive *it = all(place, prefix, "pass_header"); it != NULL; it = nginx_same(it))
        if (it->count == 1 && str_equal_nocase(it->words[0].text, name))
            return true;
    return false;
}

static void put_hidden(struct nginx_place *place, const char *prefix, struct node *options)
{
    static const struct str usual[] = {STR("Date"), STR("Server"), STR("X-Pad"), STR("X-Accel-Expires"), STR("X-Accel-Redirect"),
                                       STR("X-Accel-Limit-Rate"), STR("X-Accel-Buffering"), STR("X-Accel-Charset")};
    struct nginx_compile *compile = place->compile;
    struct node *hidden = nginx_put_list(compile, options, "hide", options->span);
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        if (!is_passed(place, prefix, usual[i]))
            nginx_add_text(compile, hidden, usual[i], options->span);
    for (const struct nginx_directive *it = all(place, prefix, "hide_header"); it != NULL; it = nginx_same(it))
        if (it->count == 1 && !is_passed(place, prefix, it->words[0].text))
            nginx_add_text(compile, hidden, it->words[0].text, it->words[0].span);
}

static void put_ignored(struct nginx_place *place, const char *prefix, struct node *options)
{
    static const struct str known[] = {STR("X-Accel-Redirect"), STR("X-Accel-Expires"), STR("X-Accel-Limit-Rate"), STR("X-Accel-Buffering"),
                                       STR("X-Accel-Charset"),  STR("Expires"),         STR("Cache-Control"),      STR("Set-Cookie"),
                                       STR("Vary")};
    const struct nginx_directive *directive = all(place, prefix, "ignore_headers");
    if (directive == NULL)
        return;
    struct node *ignored = nginx_put_list(place->compile, options, "ignore", directive->span);
    for (size_t i = 0; i < directive->count; i++) {
        const struct nginx_word *word = &directive->words[i];
        size_t k = 0;
        while (k < sizeof(known) / sizeof(known[0]) && !str_equal_nocase(known[k], word->text))
            k++;
        if (k == sizeof(known) / sizeof(known[0]))
            nginx_invalid(place->compile, directive, word);
        else
            nginx_add_text(place->compile, ignored, word->text, word->span);
    }
}

static void put_hints(struct nginx_place *place, struct node *options)
{
    const struct nginx_directive *directive = nginx_find(place->scope, "early_hints");
    struct node *hints = nginx_put_list(place->compile, options, "earlyHints", options->span);
    for (size_t i = 0; directive != NULL && i < directive->count; i++)
        nginx_add_text(place->compile, hints, nginx_template(place->compile, &directive->words[i]), directive->words[i].span);
}

void nginx_put_response(struct nginx_place *place, const char *prefix, struct node *options)
{
    put_hidden(place, prefix, options);
    put_ignored(place, prefix, options);
    put_hints(place, options);
}

/* ---- texts that name the server ---- */

static void put_rule(struct nginx_compile *compile, struct node *list, struct str from, struct str to, struct span span)
{
    struct node *rule = nginx_add_map(compile, list, span);
    nginx_put(compile, rule, "from", from, span);
    nginx_put(compile, rule, "to", to, span);
}

/* A pattern has its own '$'. */
static struct str from_text(struct nginx_compile *compile, const struct nginx_word *word)
{
    return word->text.len != 0 && word->text.data[0] == '~' ? word->text : nginx_template(compile, word);
}

static bool is_word(const struct nginx_directive *directive, const char *text)
{
    return directive->count == 1 && str_equal(directive->words[0].text, str_from(text));
}

static void put_default(struct nginx_place *place, const struct nginx_url *url, struct str location, struct node *list)
{
    struct nginx_compile *compile = place->compile;
    bool has_name = location.len != 0 && !place->named && !place->regex;
    if (url->uri.len != 0)
        put_rule(compile, list, url->whole, has_name ? location : S(""), list->span);
    else
        put_rule(compile, list, arena_concat(compile->arena, url->whole, S("/")), S("/"), list->span);
}

void nginx_put_redirects(struct nginx_place *place, const struct nginx_directive *pass, const struct nginx_url *url, struct str location,
                         struct node *options)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *it = nginx_all(place->scope, "proxy_redirect");
    struct node *list = nginx_put_list(compile, options, "redirects", it != NULL ? it->span : pass->span);
    if (it == NULL && !url->variables)
        put_default(place, url, location, list);
    for (; it != NULL; it = nginx_same(it)) {
        if (it->count == 2)
            put_rule(compile, list, from_text(compile, &it->words[0]), nginx_template(compile, &it->words[1]), it->words[0].span);
        else if (is_word(it, "default") && url->variables)
            diag_error(compile->diag, it->words[0].span, "\"proxy_redirect default\" cannot be used with \"proxy_pass\" directive with variables");
        else if (is_word(it, "default"))
            put_default(place, url, location, list);
        else if (!is_word(it, "off"))
            nginx_invalid(compile, it, &it->words[0]);
    }
    nginx_put_cookies(place, options);
}

static void put_cookie_rules(struct nginx_place *place, struct node *options, const char *key, const char *name)
{
    struct nginx_compile *compile = place->compile;
    for (const struct nginx_directive *it = nginx_all(place->scope, name); it != NULL; it = nginx_same(it)) {
        if (it->count == 2)
            put_rule(compile, nginx_put_list(compile, options, key, it->span), from_text(compile, &it->words[0]),
                     nginx_template(compile, &it->words[1]), it->words[0].span);
        else if (!is_word(it, "off"))
            nginx_invalid(compile, it, &it->words[0]);
    }
}

static void put_cookie_flags(struct nginx_place *place, struct node *options)
{
    struct nginx_compile *compile = place->compile;
    for (const struct nginx_directive *it = nginx_all(place->scope, "proxy_cookie_flags"); it != NULL; it = nginx_same(it)) {
        if (is_word(it, "off"))
            continue;
        if (it->count < 2) {
            nginx_invalid(compile, it, &it->words[0]);
            continue;
        }
        struct node *rule = nginx_add_map(compile, nginx_put_list(compile, options, "cookieFlags", it->span), it->span);
        nginx_put(compile, rule, "cookie", from_text(compile, &it->words[0]), it->words[0].span);
        struct node *flags = nginx_put_list(compile, rule, "flags", it->span);
        for (size_t i = 1; i < it->count; i++)
            nginx_add_text(compile, flags, nginx_template(compile, &it->words[i]), it->words[i].span);
    }
}

void nginx_put_cookies(struct nginx_place *place, struct node *options)
{
    put_cookie_rules(place, options, "cookieDomains", "proxy_cookie_domain");
    put_cookie_rules(place, options, "cookiePaths", "proxy_cookie_path");
    put_cookie_flags(place, options);
}
