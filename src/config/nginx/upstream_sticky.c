/* sticky of an upstream{}: a client keeps its server, by a cookie or by a name that the request has. */
#include "config/nginx/upstream.h"

static void put_age(struct nginx_compile *compile, struct node *cookie, const struct nginx_word *word, struct str value)
{
    int64_t ms;
    if (str_equal(value, S("max")))
        nginx_put_number(compile, cookie, "maxAge", 10 * 365 * 24 * 3600, word->span);
    else if (nginx_time(value, &ms))
        nginx_put_number(compile, cookie, "maxAge", ms / 1000, word->span);
    else
        diag_error(compile->diag, word->span, "invalid parameter \"%.*s\"", STR_ARGS(word->text));
}

static void put_cookie(struct nginx_compile *compile, struct node *sticky, const struct nginx_directive *directive)
{
    struct node *cookie = nginx_put_map(compile, sticky, "cookie", directive->span);
    nginx_put(compile, cookie, "name", directive->words[1].text, directive->words[1].span);
    nginx_put(compile, cookie, "path", S(""), directive->span);
    for (size_t i = 2; i < directive->count; i++) {
        const struct nginx_word *word = &directive->words[i];
        struct str text = word->text;
        ptrdiff_t equals = str_find_char(text, '=', 0);
        struct str value = equals >= 0 ? str_from_index(text, (size_t)equals + 1) : STR_NONE;
        if (str_starts(text, S("expires=")))
            put_age(compile, cookie, word, value);
        else if (str_starts(text, S("domain=")) || str_starts(text, S("path=")))
            nginx_put(compile, cookie, text.data[0] == 'd' ? "domain" : "path", value, word->span);
        else if (str_starts(text, S("samesite=")))
            nginx_put(compile, cookie, "sameSite", value, word->span);
        else if (str_equal(text, S("httponly")) || str_equal(text, S("secure")))
            nginx_put_flag(compile, cookie, text.data[0] == 'h' ? "httpOnly" : "secure", true, word->span);
        else
            diag_error(compile->diag, word->span, "invalid parameter \"%.*s\"", STR_ARGS(text));
    }
}

static void put_route(struct nginx_compile *compile, struct node *sticky, const struct nginx_directive *directive)
{
    struct node *route = nginx_put_list(compile, sticky, "route", directive->span);
    for (size_t i = 1; i < directive->count; i++)
        nginx_add_text(compile, route, nginx_template(compile, &directive->words[i]), directive->words[i].span);
}

void nginx_put_sticky(struct nginx_compile *compile, struct node *options, const struct nginx_directive *group)
{
    const struct nginx_directive *directive = nginx_within(group, "sticky");
    if (directive == NULL || directive->count == 0)
        return;
    struct str kind = directive->words[0].text;
    struct node *sticky = nginx_put_map(compile, options, "sticky", directive->span);
    if (str_equal(kind, S("cookie")) && directive->count > 1)
        put_cookie(compile, sticky, directive);
    else if (str_equal(kind, S("route")) && directive->count > 1)
        put_route(compile, sticky, directive);
    else if (str_equal(kind, S("learn")))
        diag_error(compile->diag, directive->words[0].span,
                   "sessions of applications are not learned: use \"sticky cookie\", or \"sticky route\" with a cookie of the application's");
    else
        diag_error(compile->diag, directive->words[0].span, "invalid parameter \"%.*s\"", STR_ARGS(kind));
}
