/* The URL of a proxy_pass, and *_next_upstream. */
#include "config/nginx/upstream.h"

static const struct {
    struct str start;
    struct str scheme;
    bool secure, grpc;
} schemes[] = {
    {STR("http://"), STR("http"), false, false},
    {STR("https://"), STR("https"), true, false},
    {STR("grpc://"), STR("grpc"), false, true},
    {STR("grpcs://"), STR("grpcs"), true, true},
};
#define SCHEME_COUNT (sizeof(schemes) / sizeof(schemes[0]))

static size_t end_of_authority(struct str rest, bool unix_socket)
{
    size_t end = unix_socket ? 5 : 0;
    if (unix_socket) {
        while (end < rest.len && rest.data[end] != ':')
            end++;
        return end;
    }
    while (end < rest.len && rest.data[end] != '/' && rest.data[end] != '?')
        end++;
    return end;
}

static bool complain(struct nginx_compile *compile, const struct nginx_word *word, const char *what)
{
    diag_error(compile->diag, word->span, "%s in upstream \"%.*s\"", what, STR_ARGS(word->text));
    return false;
}

bool nginx_url_parse(struct nginx_compile *compile, const struct nginx_directive *directive, const struct nginx_word *word,
                     struct nginx_url *ret_url)
{
    bool grpc = str_equal(directive->name, S("grpc_pass"));
    size_t i = 0;
    *ret_url = (struct nginx_url){.whole = word->text, .variables = nginx_has_variables(word->text)};
    while (i < SCHEME_COUNT && !(schemes[i].grpc == grpc && str_starts_nocase(word->text, schemes[i].start)))
        i++;
    if (i == SCHEME_COUNT && !grpc && !ret_url->variables) {
        diag_error(compile->diag, word->span, "invalid URL prefix");
        return false;
    }
    ret_url->scheme = i < SCHEME_COUNT ? schemes[i].scheme : grpc ? S("grpc") : S("http");
    ret_url->secure = i < SCHEME_COUNT && schemes[i].secure;
    struct str rest = i < SCHEME_COUNT ? str_from_index(word->text, schemes[i].start.len) : word->text;
    ret_url->unix_socket = str_starts_nocase(rest, S("unix:"));
    size_t end = end_of_authority(rest, ret_url->unix_socket);
    ret_url->authority = str_first(rest, end);
    ret_url->uri = str_from_index(rest, ret_url->unix_socket && end < rest.len ? end + 1 : end);
    if (ret_url->variables)
        return true;
    return ret_url->authority.len != 0 || complain(compile, word, "no host");
}

/* ---- what sends requests on ---- */

static const struct {
    struct str nginx;
    const char *model;      /* NULL: accepted, without a meaning here */
} reasons[] = {
    {STR("error"), "error"},       {STR("timeout"), "timeout"},  {STR("invalid_header"), "invalidHeader"}, {STR("http_500"), "500"},
    {STR("http_502"), "502"},      {STR("http_503"), "503"},     {STR("http_504"), "504"},                 {STR("http_403"), "403"},
    {STR("http_404"), "404"},      {STR("http_429"), "429"},     {STR("off"), NULL},                       {STR("non_idempotent"), NULL},
    {STR("updating"), NULL},       {STR("denied"), NULL},
};
#define REASON_COUNT (sizeof(reasons) / sizeof(reasons[0]))

static void put_reason(struct nginx_compile *compile, const struct nginx_directive *directive, const struct nginx_word *word,
                       struct node *retries, struct node *on)
{
    size_t i = 0;
    while (i < REASON_COUNT && !str_equal(reasons[i].nginx, word->text))
        i++;
    if (i == REASON_COUNT)
        nginx_invalid(compile, directive, word);
    else if (reasons[i].model != NULL)
        nginx_add_text(compile, on, str_from(reasons[i].model), word->span);
    else if (str_equal(word->text, S("non_idempotent")))
        nginx_put_flag(compile, retries, "nonIdempotent", true, word->span);
}

void nginx_put_retries(struct nginx_place *place, const char *prefix, struct node *options)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *directive = nginx_find(place->scope, arena_printf(compile->arena, "%s_next_upstream", prefix).data);
    struct span span = directive != NULL ? directive->span : options->span;
    struct node *retries = nginx_put_map(compile, options, "retries", span);
    struct node *on = nginx_put_list(compile, retries, "on", span);
    for (size_t i = 0; directive != NULL && i < directive->count; i++)
        put_reason(compile, directive, &directive->words[i], retries, on);
    if (directive == NULL) {
        nginx_add_text(compile, on, S("error"), span);
        nginx_add_text(compile, on, S("timeout"), span);
    }
    const struct nginx_directive *tries =
        nginx_find(place->scope, arena_printf(compile->arena, "%s_next_upstream_tries", prefix).data);
    if (tries != NULL && tries->count == 1)
        nginx_put(compile, retries, "attempts", tries->words[0].text, tries->words[0].span);
    int64_t limit = nginx_find_time(place, arena_printf(compile->arena, "%s_next_upstream_timeout", prefix).data, 0);
    if (limit != 0)
        nginx_put_time(compile, retries, "timeout", limit, span);
}
