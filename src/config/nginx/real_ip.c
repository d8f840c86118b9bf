/* set_real_ip_from and its kin: realIp. Where a location says something else than its server, it looks again: but not for a request
 * whose address was found before. */
#include "config/nginx/compile.h"

static const struct nginx_syntax rows[] = {
    {"set_real_ip_from", NGINX_EVERYWHERE, .min = 1, .max = 1, .repeats = true, .help = "Who is trusted to tell the client's address: a network, a host, unix:."},
    {"real_ip_header", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "The field that has it, or proxy_protocol."},
    {"real_ip_recursive", NGINX_EVERYWHERE, .flag = true, .help = "Addresses that are trusted themselves are passed over."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

static void put_options(struct nginx_compile *compile, const struct nginx_scope *scope, struct node *options)
{
    const struct nginx_directive *from = nginx_all(scope, "set_real_ip_from"), *header = nginx_find(scope, "real_ip_header");
    const struct nginx_directive *recursive = nginx_find(scope, "real_ip_recursive");
    struct node *list = nginx_put_list(compile, options, "from", from->span);
    for (const struct nginx_directive *it = from; it != NULL; it = nginx_same(it))
        nginx_add_text(compile, list, it->words[0].text, it->words[0].span);
    if (header != NULL && str_equal(header->words[0].text, S("proxy_protocol")))
        nginx_put_flag(compile, options, "proxyProtocol", true, header->words[0].span);
    else if (header != NULL)
        nginx_put(compile, options, "header", header->words[0].text, header->words[0].span);
    if (recursive != NULL && nginx_flag(scope, "real_ip_recursive", false))
        nginx_put_flag(compile, options, "recursive", true, recursive->span);
}

static bool says_the_same(const struct nginx_place *place)
{
    static const char *const names[] = {"set_real_ip_from", "real_ip_header", "real_ip_recursive"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (nginx_find(place->scope, names[i]) != nginx_find(place->server->scope, names[i]))
            return false;
    return true;
}

static void put_server(struct nginx_server *server)
{
    struct nginx_compile *compile = server->compile;
    const struct nginx_directive *from = nginx_all(server->scope, "set_real_ip_from");
    if (from == NULL)
        return;
    struct nginx_place itself = {.kind = NGINX_PLACE_SERVER, .compile = compile, .server = server, .scope = server->scope, .name = server->name};
    struct str name;
    put_options(compile, server->scope, nginx_free_middleware(&itself, "realIp", from->span, &name));
    nginx_add_text(compile, nginx_put_list(compile, server->site, "middlewares", from->span), name, from->span);
}

static void put_place(struct nginx_place *place)
{
    const struct nginx_directive *from = nginx_all(place->scope, "set_real_ip_from");
    if (from != NULL && place->kind != NGINX_PLACE_SERVER && !says_the_same(place))
        put_options(place->compile, place->scope, nginx_middleware(place, NGINX_CHAIN_LIMITS, "realIp", from->span));
}

static const struct nginx_part part = {.name = "real_ip", .order = 10, .server = put_server, .place = put_place};
REGISTER(nginx_part, part);
