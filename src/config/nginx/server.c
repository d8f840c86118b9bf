/* A server becomes a site (model/http.h). */
#include "config/nginx/place.h"

#include <unistd.h>

#include "base/option.h"

static const struct nginx_syntax rows[] = {
    {"http", NGINX_MAIN, .block = true, .inside = NGINX_HTTP},
    {"server", NGINX_HTTP, .block = true, .inside = NGINX_SERVER, .repeats = true},
    {"server_name", NGINX_SERVER, .min = 1, .max = NGINX_MANY, .repeats = true},
    {"merge_slashes", NGINX_HTTP | NGINX_SERVER, .min = 1, .max = 1, .flag = true},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

static struct str name_of(struct nginx_compile *compile, const struct nginx_word *word)
{
    char host[256] = "";
    if (str_equal(word->text, S("$hostname")) && gethostname(host, sizeof(host) - 1) == 0)
        return arena_str(compile->arena, str_from(host));
    return word->text;
}

/* An empty name is one like any other: requests without a host. */
static void put_names(struct nginx_server *server, bool alone)
{
    struct nginx_compile *compile = server->compile;
    const struct nginx_directive *it = nginx_here(server->scope, "server_name");
    struct node *list = NULL;
    if (it == NULL && !alone) {
        list = nginx_put_list(compile, server->site, "names", server->block->span);
        nginx_add_text(compile, list, S(""), server->block->span);
    }
    for (; it != NULL; it = nginx_same(it))
        for (size_t i = 0; i < it->count; i++) {
            if (list == NULL)
                list = nginx_put_list(compile, server->site, "names", it->span);
            nginx_add_text(compile, list, name_of(compile, &it->words[i]), it->words[i].span);
        }
}

static struct str wanted_name(const struct nginx_server *server)
{
    const struct nginx_directive *it = nginx_here(server->scope, "server_name");
    for (; it != NULL; it = nginx_same(it))
        for (size_t i = 0; i < it->count; i++)
            if (it->words[i].text.len != 0 && it->words[i].text.data[0] != '~' && !str_equal(it->words[i].text, S("_")))
                return name_of(server->compile, &it->words[i]);
    return S("server");
}

static void run_server_parts(struct nginx_server *server)
{
    size_t count;
    const struct nginx_part *const *parts = nginx_parts(&count);
    for (size_t i = 0; i < count; i++)
        if (parts[i]->server != NULL)
            parts[i]->server(server);
}

static struct strs *entry_points_of(const struct nginx_server *server)
{
    const struct node *list = node_get(server->site, S("entryPoints"));
    struct arena *arena = server->compile->arena;
    struct strs *names = arena_new(arena, struct strs);
    names->items = arena_array(arena, struct str, list != NULL ? list->count + 1 : 1);
    NODE_FOREACH(list, it)
        names->items[names->count++] = it->text;
    return names;
}

static void make_server(struct nginx_compile *compile, const struct nginx_directive *block, bool alone)
{
    struct nginx_server *server = arena_new(compile->arena, struct nginx_server);
    *server = (struct nginx_server){.compile = compile, .block = block};
    server->scope = nginx_scope_new(compile, block, NGINX_SERVER, compile->http);
    server->name = nginx_unique(compile, "http.sites", wanted_name(server));
    server->site = nginx_put_map_named(compile, nginx_section(compile, "http.sites"), server->name, block->span);
    nginx_server_listens(server);
    if (server->entry_points == NULL)
        server->entry_points = entry_points_of(server);
    put_names(server, alone);
    if (!nginx_flag(server->scope, "merge_slashes", true))
        nginx_put_flag(compile, server->site, "mergeSlashes", false, nginx_find(server->scope, "merge_slashes")->span);
    run_server_parts(server);
    nginx_fill_places(nginx_places(server));
}

void nginx_servers(struct nginx_compile *compile)
{
    const struct nginx_directive *first = nginx_here(compile->http, "server");
    for (const struct nginx_directive *it = first; it != NULL; it = nginx_same(it))
        make_server(compile, it, nginx_same(first) == NULL);
}
