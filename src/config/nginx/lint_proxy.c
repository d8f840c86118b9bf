/* proxy_pass: what its slash makes of paths, names that nginx resolves once, and who is believed about the client's address. */
#include "config/nginx/compile.h"
#include "net/addr.h"

/* --- the slash --------------------------------------------------------------------------------------- */

/* The path of a proxy_pass, behind the server; data NULL: it has none, and paths go on as they are. */
static struct str pass_path(struct str url)
{
    ptrdiff_t scheme = str_find(url, S("://"));
    struct str rest = scheme >= 0 ? str_from_index(url, (size_t)scheme + 3) : url;
    ptrdiff_t at = -1;
    if (str_starts(rest, S("unix:"))) {
        at = str_find_char(rest, ':', strlen("unix:"));
        at += at >= 0;
    } else {
        at = str_find_char(rest, '/', 0);
    }
    return at >= 0 ? str_from_index(rest, (size_t)at) : STR_NONE;
}

static void lint_slash(struct nginx_place *place, const struct nginx_directive *pass)
{
    struct str path = pass_path(pass->words[0].text), location = place->path;
    if (place->kind != NGINX_PLACE_LOCATION || place->regex || place->named || place->exact || str_empty(path) ||
        nginx_has_variables(pass->words[0].text))
        return;
    bool outer = str_ends(location, S("/")), inner = str_ends(path, S("/"));
    if (outer == inner)
        return;
    const char *rest = outer ? "users" : "/users";
    struct diag_item *item = diag_warning(place->compile->diag, pass->words[0].span,
                                          "of \"%.*s%s\" the upstream will see \"%.*s%s\"", STR_ARGS(location), rest, STR_ARGS(path), rest);
    diag_hint(place->compile->diag, item,
              outer ? "the location ends with a slash: so should this" : "this ends with a slash: so should the location");
}

/* --- names ------------------------------------------------------------------------------------------- */

static struct str host_of(struct str url)
{
    ptrdiff_t scheme = str_find(url, S("://"));
    struct str rest = scheme >= 0 ? str_from_index(url, (size_t)scheme + 3) : url;
    size_t end = 0;
    while (end < rest.len && strchr(":/", rest.data[end]) == NULL)
        end++;
    return str_starts(rest, S("[")) || str_starts(rest, S("unix:")) ? STR_NONE : str_first(rest, end);
}

static bool is_upstream(struct nginx_compile *compile, struct str name)
{
    for (const struct nginx_directive *it = nginx_here(compile->http, "upstream"); it != NULL; it = nginx_same(it)) {
        if (it->count > 0 && str_equal_nocase(it->words[0].text, name))
            return true;
    }
    return false;
}

static void note_name(struct nginx_compile *compile, struct str host, struct span span)
{
    struct ip ip;
    if (str_empty(host) || nginx_has_variables(host) || ip_parse(host, &ip) || str_equal(host, S("localhost")))
        return;
    struct str key = arena_printf(compile->arena, "lint-name:%.*s", STR_ARGS(host));
    if (map_put(&compile->zones, key, compile) == NULL)
        diag_note(compile->diag, span, "nginx resolves \"%.*s\" once, when it starts; Portico resolves it again while it runs", STR_ARGS(host));
}

static void note_upstream_names(struct nginx_compile *compile)
{
    for (const struct nginx_directive *it = nginx_here(compile->http, "upstream"); it != NULL; it = nginx_same(it)) {
        NGINX_FOREACH(it, server) {
            bool resolves = false;
            for (size_t i = 1; i < server->count; i++)
                resolves |= str_equal(server->words[i].text, S("resolve"));
            if (str_equal(server->name, S("server")) && server->count > 0 && !resolves)
                note_name(compile, host_of(server->words[0].text), server->words[0].span);
        }
    }
}

static void lint_names(struct nginx_place *place, const struct nginx_directive *pass)
{
    struct str host = host_of(pass->words[0].text);
    if (!is_upstream(place->compile, host))
        note_name(place->compile, host, pass->words[0].span);
}

/* --- X-Forwarded-For --------------------------------------------------------------------------------- */

static void lint_forwarded(struct nginx_place *place)
{
    if (nginx_find(place->scope, "set_real_ip_from") != NULL)
        return;
    for (const struct nginx_directive *it = nginx_all(place->scope, "proxy_set_header"); it != NULL; it = nginx_same(it)) {
        if (it->count < 2 || str_find(it->words[1].text, S("$proxy_add_x_forwarded_for")) < 0)
            continue;
        struct diag_item *item = diag_warning(place->compile->diag, it->words[1].span,
                                              "clients can forge this: what one sends as X-Forwarded-For is passed on in front of its address");
        diag_hint(place->compile->diag, item, "use $remote_addr, or name the proxies in front with set_real_ip_from");
    }
}

static void lint(struct nginx_place *place)
{
    const struct nginx_directive *pass = nginx_here(place->scope, "proxy_pass");
    if (place->kind == NGINX_PLACE_SERVER && place->server->block == nginx_here(place->compile->http, "server"))
        note_upstream_names(place->compile);
    if (pass == NULL || pass->count == 0)
        return;
    lint_slash(place, pass);
    lint_names(place, pass);
    lint_forwarded(place);
}

static const struct nginx_part part = {.name = "lint-proxy", .order = 100, .lint = lint};
REGISTER(nginx_part, part);
