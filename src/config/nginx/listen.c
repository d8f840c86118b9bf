/* `listen` becomes an entrypoint for each address. */
#include "config/nginx/place.h"
#include "net/addr.h"

#include <unistd.h>

static const struct nginx_syntax rows[] = {
    {"listen", NGINX_SERVER, .min = 1, .max = NGINX_MANY, .repeats = true},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

static bool is_port(struct str text)
{
    uint64_t port;
    return str_to_u64(text, &port) && port > 0 && port < 65536;
}

/* "80", "*:80", "127.0.0.1", "[::1]:80", "host:80" -> "0.0.0.0:80", ...; empty: it is no address. */
static struct str address_of(struct nginx_compile *compile, struct str text)
{
    if (str_starts(text, S("unix:")))
        return text.len > 5 ? text : STR_NONE;
    if (is_port(text))
        return arena_concat(compile->arena, S("0.0.0.0:"), text);
    bool bracket = str_starts(text, S("["));
    ptrdiff_t colon = str_find_last_char(text, ':');
    if (bracket && colon >= 0 && str_find_char(text, ']', (size_t)colon) >= 0)
        colon = -1;
    struct str host = colon >= 0 ? str_first(text, (size_t)colon) : text;
    struct str port = colon >= 0 ? str_from_index(text, (size_t)colon + 1) : S("80");
    if (!is_port(port) || host.len == 0)
        return STR_NONE;
    if (str_equal(host, S("*")))
        host = S("0.0.0.0");
    return arena_printf(compile->arena, "%.*s:%.*s", STR_ARGS(host), STR_ARGS(port));
}

/* Entrypoints are named by the port where they listen everywhere, else by the address. */
static struct str entry_name(struct str address)
{
    return str_starts(address, S("0.0.0.0:")) ? str_from_index(address, strlen("0.0.0.0:")) : address;
}

/* nginx passes on what it gets: paths as they are written, and what proxies in front have said. */
static void put_manners(struct nginx_compile *compile, struct node *entry, struct span span)
{
    static const char *const allowed[] = {"allowEncodedSlash",   "allowEncodedBackSlash",    "allowEncodedNullCharacter", "allowEncodedSemicolon",
                                          "allowEncodedPercent", "allowEncodedQuestionMark", "allowEncodedHash"};
    struct node *http = nginx_put_map(compile, entry, "http", span);
    nginx_put_flag(compile, http, "sanitizePath", false, span);
    nginx_put_flag(compile, http, "bareLineFeeds", true, span);
    struct node *characters = nginx_put_map(compile, http, "encodedCharacters", span);
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        nginx_put_flag(compile, characters, allowed[i], true, span);
    nginx_put_flag(compile, nginx_put_map(compile, entry, "forwardedHeaders", span), "pass", true, span);
}

static struct node *make_entry(struct nginx_server *server, struct str address, struct span span)
{
    struct nginx_compile *compile = server->compile;
    struct node *section = nginx_section(compile, "entryPoints");
    struct node *entry = nginx_put_map_named(compile, section, entry_name(address), span);
    if (node_get(entry, S("address")) == NULL) {
        nginx_put(compile, entry, "address", address, span);
        put_manners(compile, entry, span);
    }
    return entry;
}

static void take_listen(struct nginx_server *server, struct str address, const struct nginx_directive *directive)
{
    struct nginx_compile *compile = server->compile;
    struct span span = directive != NULL ? directive->words[0].span : server->block->span;
    struct node *entry = make_entry(server, address, span);
    struct str name = entry_name(address);
    nginx_add_text(compile, nginx_put_list(compile, server->site, "entryPoints", span), name, span);
    bool tls = false;
    for (size_t i = 1; directive != NULL && i < directive->count; i++) {
        struct str word = directive->words[i].text;
        tls |= str_equal(word, S("ssl"));
        if (str_equal(word, S("default_server")) || str_equal(word, S("default")))
            nginx_add_text(compile, nginx_put_list(compile, server->site, "defaultOn", span), name, directive->words[i].span);
    }
    server->tls |= tls;
    server->plain |= !tls;
    if (tls)
        nginx_put_map(compile, nginx_put_map(compile, entry, "http", span), "tls", span);
}

void nginx_server_listens(struct nginx_server *server)
{
    const struct nginx_directive *it = nginx_here(server->scope, "listen");
    if (it == NULL)
        take_listen(server, geteuid() == 0 ? S("0.0.0.0:80") : S("0.0.0.0:8000"), NULL);
    for (; it != NULL; it = nginx_same(it)) {
        struct str address = address_of(server->compile, it->words[0].text);
        if (address.len == 0)
            nginx_invalid(server->compile, it, &it->words[0]);
        else
            take_listen(server, address, it);
    }
}
