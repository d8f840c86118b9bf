/* sticky of an upstream{}: a client keeps its server, by a cookie, by a name that the request has, or by a session that was seen. */
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

/* A parameter's value with variables in it. */
static struct str template_of(struct nginx_compile *compile, const struct nginx_word *word, struct str value)
{
    struct nginx_word part = *word;
    part.text = value;
    return nginx_template(compile, &part);
}

static void put_cookie(struct nginx_compile *compile, struct node *sticky, const struct nginx_directive *directive)
{
    struct node *cookie = nginx_put_map(compile, sticky, "cookie", directive->span);
    nginx_put(compile, cookie, "name", directive->words[1].text, directive->words[1].span);
    nginx_put(compile, cookie, "path", S(""), directive->span);
    nginx_put_flag(compile, cookie, "always", true, directive->span);
    for (size_t i = 2; i < directive->count; i++) {
        const struct nginx_word *word = &directive->words[i];
        struct str text = word->text;
        ptrdiff_t equals = str_find_char(text, '=', 0);
        struct str value = equals >= 0 ? str_from_index(text, (size_t)equals + 1) : STR_NONE;
        if (str_starts(text, S("expires=")))
            put_age(compile, cookie, word, value);
        else if (str_starts(text, S("path=")))
            nginx_put(compile, cookie, "path", value, word->span);
        else if (str_starts(text, S("domain=")))
            nginx_put(compile, cookie, "domain", template_of(compile, word, value), word->span);
        else if (str_starts(text, S("samesite=")) && nginx_has_variables(value))
            nginx_put(compile, cookie, "sameSiteText", template_of(compile, word, value), word->span);
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

#define ZONE_LEAST (8 * 4096)
#define SESSION_SIZE 128      /* "1m" is some 8,000 sessions */

/* "name:size": one zone for one group, so its size alone says something. */
static bool put_zone(struct nginx_compile *compile, struct node *learn, const struct nginx_word *word, struct str value)
{
    ptrdiff_t colon = str_find_char(value, ':', 0);
    int64_t bytes = 0;
    const char *wrong = NULL;
    if (colon < 0)
        wrong = "zone size is not specified";
    else if (colon == 0)
        wrong = "zone name is not specified";
    else if (!nginx_size(str_from_index(value, (size_t)colon + 1), &bytes))
        wrong = "invalid zone size";
    else if (bytes < ZONE_LEAST)
        wrong = "zone is too small";
    if (wrong != NULL)
        diag_error(compile->diag, word->span, "\"sticky\" directive %s", wrong);
    else
        nginx_put_number(compile, learn, "max", bytes / SESSION_SIZE, word->span);
    return wrong == NULL;
}

static void put_texts(struct nginx_compile *compile, struct node *learn, const struct nginx_directive *directive, const char *key)
{
    struct node *texts = nginx_put_list(compile, learn, key, directive->span);
    size_t length = strlen(key) + 1;
    for (size_t i = 1; i < directive->count; i++) {
        const struct nginx_word *word = &directive->words[i];
        if (!str_starts(word->text, str_from(key)) || word->text.len <= length || word->text.data[length - 1] != '=')
            continue;
        struct str value = str_from_index(word->text, length);
        if (value.data[0] != '$')
            diag_error(compile->diag, word->span, "\"sticky\" directive missing variable in the \"%s\" parameter", key);
        nginx_add_text(compile, texts, template_of(compile, word, value), word->span);
    }
    if (texts->count == 0)
        diag_error(compile->diag, directive->span, "\"sticky\" directive \"%s\" parameter is not specified", key);
}

static void put_learn(struct nginx_compile *compile, struct node *sticky, const struct nginx_directive *directive)
{
    struct node *learn = nginx_put_map(compile, sticky, "learn", directive->span);
    bool zone = false;
    int64_t ms;
    for (size_t i = 1; i < directive->count; i++) {
        const struct nginx_word *word = &directive->words[i];
        struct str text = word->text;
        if (str_starts(text, S("zone="))) {
            zone = true;
            put_zone(compile, learn, word, str_from_index(text, 5));
        } else if (str_starts(text, S("timeout="))) {
            if (nginx_time(str_from_index(text, 8), &ms) && ms > 0)
                nginx_put_time(compile, learn, "timeout", ms, word->span);
            else
                diag_error(compile->diag, word->span, "\"sticky\" directive invalid timeout");
        } else if (str_equal(text, S("header"))) {
            nginx_put_flag(compile, learn, "onHead", true, word->span);
        } else if (str_equal(text, S("sync"))) {
            diag_note(compile->diag, word->span, "sessions are known to all workers; other instances learn their own");
        } else if (!str_starts(text, S("create=")) && !str_starts(text, S("lookup="))) {
            diag_error(compile->diag, word->span, "unknown parameter \"%.*s\"", STR_ARGS(text));
        }
    }
    put_texts(compile, learn, directive, "create");
    put_texts(compile, learn, directive, "lookup");
    if (!zone)
        diag_error(compile->diag, directive->span, "\"sticky\" directive \"zone\" parameter is not specified");
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
    else if (str_equal(kind, S("learn")) && directive->count > 1)
        put_learn(compile, sticky, directive);
    else
        diag_error(compile->diag, directive->words[0].span, "invalid parameter \"%.*s\"", STR_ARGS(kind));
}
