/* `listen` becomes an entrypoint for each address. */
#include "config/nginx/listen.h"

#include <unistd.h>

#include "config/nginx/client.h"
#include "config/nginx/listen_words.h"

static const struct nginx_syntax rows[] = {
    {"listen", NGINX_SERVER, .min = 1, .max = NGINX_MANY, .repeats = true},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

#define KEY "listen:"

static struct str implied(void)
{
    return geteuid() == 0 ? S("0.0.0.0:80") : S("0.0.0.0:8000");
}

/* Entrypoints are named by the port where they listen everywhere, else by the address. */
static struct str entry_name(struct str address)
{
    return str_starts(address, S("0.0.0.0:")) ? str_from_index(address, strlen("0.0.0.0:")) : address;
}

/* ---- finding them ---- */

static struct nginx_address *find_address(struct nginx_compile *compile, struct str text)
{
    return map_get(&compile->zones, arena_concat(compile->arena, S(KEY), text));
}

/* What a listen said when it was read first, so that hosts are looked up once. */
struct found_texts {
    struct strs texts;
};

static struct str directive_key(struct nginx_compile *compile, const struct nginx_directive *listen)
{
    return arena_printf(compile->arena, "listen-texts:%p", (const void *)listen);
}

size_t nginx_listen_addresses(struct nginx_compile *compile, const struct nginx_directive *listen, struct nginx_address **found, size_t max)
{
    struct str one = implied();
    struct strs alone = {.items = &one, .count = 1};
    const struct found_texts *kept = listen != NULL ? map_get(&compile->zones, directive_key(compile, listen)) : NULL;
    const struct strs *texts = listen == NULL ? &alone : kept != NULL ? &kept->texts : NULL;
    size_t count = 0;
    for (size_t i = 0; texts != NULL && i < texts->count && count < max; i++) {
        found[count] = find_address(compile, texts->items[i]);
        count += found[count] != NULL;
    }
    return count;
}

size_t nginx_server_addresses(const struct nginx_server *server, struct nginx_address **found, size_t max)
{
    const struct nginx_directive *it = nginx_here(server->scope, "listen");
    if (it == NULL)
        return nginx_listen_addresses(server->compile, NULL, found, max);
    size_t count = 0;
    for (; it != NULL; it = nginx_same(it))
        count += nginx_listen_addresses(server->compile, it, found + count, max - count);
    return count;
}

/* ---- reading all ---- */

static struct nginx_address *make_address(struct nginx_compile *compile, struct str text, struct nginx_scope *scope, struct span span)
{
    struct nginx_address *address = find_address(compile, text);
    if (address != NULL)
        return address;
    address = arena_new(compile->arena, struct nginx_address);
    *address = (struct nginx_address){.text = text, .name = entry_name(text), .first = scope};
    address->entry = nginx_put_map_named(compile, nginx_section(compile, "entryPoints"), address->name, span);
    nginx_put(compile, address->entry, "address", text, span);
    map_put(&compile->zones, arena_concat(compile->arena, S(KEY), text), address);
    return address;
}

static void put_socket(struct nginx_compile *compile, struct nginx_address *address, const struct nginx_listen *listen)
{
    struct span span = listen->directive->span;
    if (listen->backlog != 0)
        nginx_put_number(compile, address->entry, "backlog", listen->backlog, span);
    bool v6 = str_starts(address->text, S("[")), probes = listen->idle != 0 || listen->interval != 0 || listen->count != 0;
    if (!v6 && !probes && !listen->no_keep_alive && !listen->deferred)
        return;
    struct node *socket = nginx_put_map(compile, address->entry, "socket", span);
    if (v6)
        nginx_put_flag(compile, socket, "ipv6Only", !listen->ipv6_both, span);
    if (listen->deferred)
        nginx_put_flag(compile, socket, "deferred", true, span);
    if (listen->no_keep_alive)
        nginx_put_flag(compile, socket, "keepAlive", false, span);
    if (listen->idle != 0)
        nginx_put_number(compile, socket, "keepAliveIdle", listen->idle, span);
    if (listen->interval != 0)
        nginx_put_number(compile, socket, "keepAliveInterval", listen->interval, span);
    if (listen->count != 0)
        nginx_put_number(compile, socket, "keepAliveCount", listen->count, span);
}

/* What may be said but once of an address. */
static void note_once(struct nginx_compile *compile, struct nginx_address *address, const struct nginx_listen *listen,
                      const struct nginx_directive *server, struct nginx_scope *scope)
{
    struct span span = listen->directive->words[0].span;
    if (address->server == server)
        diag_error(compile->diag, span, "a duplicate listen %.*s", STR_ARGS(address->text));
    else if (listen->has_options && address->options_by != NULL)
        diag_error(compile->diag, span, "duplicate listen options for %.*s", STR_ARGS(address->text));
    if (listen->has_options && address->options_by == NULL) {
        address->options_by = listen->directive;
        put_socket(compile, address, listen);
    }
    if (listen->is_default && address->default_by != NULL)
        diag_error(compile->diag, span, "a duplicate default server for %.*s", STR_ARGS(address->text));
    if (listen->is_default && address->default_by == NULL) {
        address->default_by = listen->directive;
        address->first = scope;
    }
    address->server = server;
}

static void take_listen(struct nginx_compile *compile, const struct nginx_directive *server, struct nginx_scope *scope,
                        const struct nginx_directive *directive)
{
    struct nginx_listen listen;
    struct found_texts *kept = arena_new(compile->arena, struct found_texts);
    if (directive->count == 0 || !nginx_listen_read(compile, directive, &listen))
        return;
    kept->texts = nginx_listen_texts(compile, &directive->words[0]);
    if (listen.quic) {
        diag_note(compile->diag, directive->span, "HTTP/3 is not spoken: clients come by the addresses that listen with ssl");
        return;
    }
    map_put(&compile->zones, directive_key(compile, directive), kept);
    for (size_t i = 0; i < kept->texts.count; i++) {
        struct nginx_address *address = make_address(compile, kept->texts.items[i], scope, directive->words[0].span);
        note_once(compile, address, &listen, server, scope);
        address->http2 |= listen.http2;
        address->proxy_protocol |= listen.proxy_protocol;
        if (listen.tls && address->tls_by == NULL)
            address->tls_by = directive;
        address->tls |= listen.tls;
    }
}

/* Unix sockets are open to all, as nginx's; an IPv6 address leaves IPv4 to others even where nobody says so. */
static void finish_socket(struct nginx_compile *compile, struct nginx_address *address)
{
    struct span span = address->entry->key_span;
    if (str_starts(address->text, S("unix:")))
        nginx_put_number(compile, nginx_put_map(compile, address->entry, "socket", span), "mode", 0666, span);
    else if (str_starts(address->text, S("[")) && node_get(address->entry, S("socket")) == NULL)
        nginx_put_flag(compile, nginx_put_map(compile, address->entry, "socket", span), "ipv6Only", true, span);
}

static void put_protocols(struct nginx_compile *compile, struct nginx_address *address)
{
    struct span span = address->entry->key_span;
    if (address->proxy_protocol) {
        struct node *protocol = nginx_put_map(compile, address->entry, "proxyProtocol", span);
        nginx_put_flag(compile, protocol, "insecure", true, span);
        nginx_put_flag(compile, protocol, "required", true, span);
        nginx_put_flag(compile, protocol, "keepPeer", true, span);
    }
    if (address->tls)
        nginx_put_map(compile, nginx_put_map(compile, address->entry, "http", span), "tls", span);
}

/* nginx passes on what it gets: paths as they are written, and what proxies in front have said. */
static void put_manners(struct nginx_compile *compile, struct nginx_address *address)
{
    static const char *const allowed[] = {"allowEncodedSlash",   "allowEncodedBackSlash",    "allowEncodedNullCharacter", "allowEncodedSemicolon",
                                          "allowEncodedPercent", "allowEncodedQuestionMark", "allowEncodedHash"};
    struct span span = address->entry->key_span;
    struct node *http = nginx_put_map(compile, address->entry, "http", span);
    nginx_put_flag(compile, http, "sanitizePath", false, span);
    nginx_put_flag(compile, http, "keepQuerySemicolons", true, span);
    nginx_put_flag(compile, http, "bareLineFeeds", true, span);
    nginx_put_flag(compile, http, "refuseTrace", true, span);
    nginx_put_flag(compile, http, "refuseEmptyHost", true, span);
    nginx_put_flag(compile, http, "refuseRepeatedFields", true, span);
    nginx_put_flag(compile, http, "repairTargets", true, span);
    struct node *characters = nginx_put_map(compile, http, "encodedCharacters", span);
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        nginx_put_flag(compile, characters, allowed[i], true, span);
    nginx_put_flag(compile, nginx_put_map(compile, address->entry, "forwardedHeaders", span), "pass", true, span);
}

static void make_addresses(struct nginx_compile *compile, struct nginx_scope *http)
{
    for (const struct nginx_directive *server = nginx_here(http, "server"); server != NULL; server = nginx_same(server)) {
        bool listens = false;
        struct nginx_scope *scope = nginx_scope_new(compile, server, NGINX_SERVER, http);
        for (const struct nginx_directive *it = nginx_here(scope, "listen"); it != NULL; it = nginx_same(it)) {
            listens = true;
            take_listen(compile, server, scope, it);
        }
        if (!listens)
            make_address(compile, implied(), scope, server->span);
    }
}

static void listen_global(struct nginx_compile *compile)
{
    if (compile->http == NULL)
        return;
    make_addresses(compile, compile->http);
    for (uint32_t i = 0; i < compile->zones.count; i++) {
        struct nginx_address *address = compile->zones.items[i].value;
        if (address == NULL || !str_starts(compile->zones.items[i].key, S(KEY)))
            continue;
        finish_socket(compile, address);
        put_manners(compile, address);
        put_protocols(compile, address);
        nginx_entry_limits(compile, address);
    }
}

static const struct nginx_part part = {.name = "listen", .order = -100, .global = listen_global};
REGISTER(nginx_part, part);

/* ---- a server's ---- */

static void join(struct nginx_server *server, struct nginx_address *address, struct span span, const struct nginx_directive *listen)
{
    struct nginx_compile *compile = server->compile;
    nginx_add_text(compile, nginx_put_list(compile, server->site, "entryPoints", span), address->name, span);
    if (listen != NULL && address->default_by == listen)
        nginx_add_text(compile, nginx_put_list(compile, server->site, "defaultOn", span), address->name, span);
    server->tls |= address->tls;
    server->plain |= !address->tls;
}

static void join_all(struct nginx_server *server, const struct nginx_directive *listen)
{
    struct nginx_address *found[NGINX_LISTEN_MAX];
    size_t count = nginx_listen_addresses(server->compile, listen, found, NGINX_LISTEN_MAX);
    for (size_t i = 0; i < count; i++)
        join(server, found[i], listen != NULL ? listen->words[0].span : server->block->span, listen);
}

void nginx_server_listens(struct nginx_server *server)
{
    const struct nginx_directive *it = nginx_here(server->scope, "listen");
    if (it == NULL)
        join_all(server, NULL);
    for (; it != NULL; it = nginx_same(it))
        join_all(server, it);
}
