/* proxy_ssl_* and grpc_ssl_*: how servers are spoken to by TLS. nginx takes any certificate and tells no name unless it is told to. */
#include "config/nginx/ssl.h"
#include "config/nginx/upstream.h"

#define BOTH(rest, ...) {"proxy_ssl_" rest, NGINX_EVERYWHERE, __VA_ARGS__}, {"grpc_ssl_" rest, NGINX_EVERYWHERE, __VA_ARGS__}

static const struct nginx_syntax rows[] = {
    BOTH("verify", .flag = true, .min = 1, .max = 1, .help = "Servers' certificates are verified."),
    BOTH("server_name", .flag = true, .min = 1, .max = 1, .help = "Servers are told which name is expected (SNI)."),
    BOTH("name", .min = 1, .max = 1, .help = "The name that servers must prove."),
    BOTH("trusted_certificate", .min = 1, .max = 1, .help = "Authorities of servers."),
    BOTH("crl", .min = 1, .max = 1, .help = "Revoked certificates of servers."),
    BOTH("verify_depth", .min = 1, .max = 1, .help = "How long chains of servers may be."),
    BOTH("certificate", .min = 1, .max = 1, .help = "The certificate that is shown to servers."),
    BOTH("certificate_key", .min = 1, .max = 1, .help = "Its key."),
    BOTH("password_file", .min = 1, .max = 1, .help = "Pass phrases of the key."),
    BOTH("protocols", .min = 1, .max = NGINX_MANY, .help = "The versions that are spoken."),
    BOTH("ciphers", .min = 1, .max = 1, .help = "Cipher suites of TLS 1.2 and before."),
    BOTH("session_reuse", .flag = true, .min = 1, .max = 1, .help = "Sessions are resumed."),
    BOTH("conf_command", .min = 2, .max = 2, .repeats = true, .help = "What OpenSSL's configuration files can say."),
    BOTH("certificate_cache", .min = 1, .max = 3, .help = "How certificates are kept whose files are named with variables."),
    BOTH("key_log", .min = 1, .max = 1, .refused = "secrets of connections are written nowhere"),
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

struct peer {
    struct nginx_place *place;
    struct node *transport;
    const char *prefix;           /* "proxy" or "grpc" */
    struct str host;              /* of the URL, without its port; empty: known at run time alone */
};

static const struct nginx_directive *find(const struct peer *peer, const char *rest)
{
    const char *name = arena_printf(peer->place->compile->arena, "%s_ssl_%s", peer->prefix, rest).data;
    return nginx_find(peer->place->scope, name);
}

static bool flag(const struct peer *peer, const char *rest, bool fallback)
{
    const struct nginx_directive *directive = find(peer, rest);
    return directive != NULL && directive->count != 0 ? str_equal(directive->words[0].text, S("on")) : fallback;
}

static bool refuse_variables(const struct peer *peer, const struct nginx_directive *directive, const char *hint)
{
    struct diag *diag = peer->place->compile->diag;
    if (!nginx_has_variables(directive->words[0].text))
        return false;
    struct diag_item *item = diag_error(diag, directive->words[0].span, "\"%.*s\" cannot have variables here: connections to servers are kept for many requests",
                                        STR_ARGS(directive->name));
    diag_hint(diag, item, "%s", hint);
    return true;
}

static void put_file(const struct peer *peer, struct node *owner, const char *key, const char *rest, bool list)
{
    struct nginx_compile *compile = peer->place->compile;
    const struct nginx_directive *directive = find(peer, rest);
    if (directive == NULL || directive->words[0].text.len == 0 || refuse_variables(peer, directive, "name the file"))
        return;
    struct str path = nginx_conf_path(compile, directive->words[0].text);
    if (list)
        nginx_add_text(compile, nginx_put_list(compile, owner, key, directive->span), path, directive->words[0].span);
    else
        nginx_put(compile, owner, key, path, directive->words[0].span);
}

/* ---- the name ---- */

/* The one name of a server that has one, without wildcards: what $host is there for requests that ask for it. */
static struct str only_name(const struct nginx_place *place)
{
    const struct nginx_directive *names = nginx_here(place->server->scope, "server_name");
    if (names == NULL || names->count != 1 || nginx_same(names) != NULL)
        return STR_NONE;
    struct str name = names->words[0].text;
    bool plain = name.len != 0 && name.data[0] != '~' && str_find_char(name, '*', 0) < 0 && name.data[0] != '.' && !nginx_has_variables(name);
    return plain && str_find_char(name, '.', 0) > 0 ? name : STR_NONE;
}

/* $proxy_host is the URL's host; $host and its kin are known where the server has one name. Empty: reported. */
static struct str name_of(const struct peer *peer, const struct nginx_directive *directive)
{
    static const struct str of_server[] = {STR("$host"), STR("$http_host"), STR("$server_name"), STR("$ssl_server_name")};
    struct str text = directive->words[0].text;
    if (str_equal(text, S("$proxy_host")))
        return peer->host;
    for (size_t i = 0; i < sizeof(of_server) / sizeof(of_server[0]); i++)
        if (str_equal(text, of_server[i]) && only_name(peer->place).len != 0)
            return only_name(peer->place);
    return refuse_variables(peer, directive, "write the name, or give each name a server block of its own") ? STR_NONE : text;
}

/* Without its port, and without the brackets of an address. */
static struct str bare_name(struct str name)
{
    ptrdiff_t colon = str_find_last_char(name, ':'), bracket = str_find_last_char(name, ']');
    if (str_starts(name, S("[")) && bracket > 0)
        return str_of(name.data + 1, (size_t)bracket - 1);
    return colon > 0 ? str_first(name, (size_t)colon) : name;
}

static void put_name(const struct peer *peer, bool verified)
{
    struct nginx_compile *compile = peer->place->compile;
    const struct nginx_directive *directive = find(peer, "name");
    bool told = flag(peer, "server_name", false);
    if (!told)
        nginx_put_flag(compile, peer->transport, "disableSNI", true, peer->place->block->span);
    if (!told && !verified)
        return;
    struct str name = bare_name(directive != NULL ? name_of(peer, directive) : peer->host);
    if (name.len != 0)
        nginx_put(compile, peer->transport, "serverName", name, directive != NULL ? directive->words[0].span : peer->place->block->span);
}

/* ---- the rest ---- */

static void put_verification(const struct peer *peer, bool verified)
{
    struct nginx_compile *compile = peer->place->compile;
    const struct nginx_directive *trusted = find(peer, "trusted_certificate"), *limit = find(peer, "verify_depth");
    const struct nginx_directive *verify = find(peer, "verify");
    uint64_t depth = 1;
    if (!verified) {
        nginx_put_flag(compile, peer->transport, "insecureSkipVerify", true, verify != NULL ? verify->span : peer->place->block->span);
        return;
    }
    if (trusted == NULL || trusted->words[0].text.len == 0) {
        diag_error(compile->diag, verify->span, "no %s_ssl_trusted_certificate for %s_ssl_verify", peer->prefix, peer->prefix);
        return;
    }
    put_file(peer, peer->transport, "rootCAs", "trusted_certificate", true);
    put_file(peer, peer->transport, "crlFiles", "crl", true);
    if (limit != NULL && (!str_to_u64(limit->words[0].text, &depth) || depth > 100))
        nginx_invalid(compile, limit, &limit->words[0]);
    nginx_put_number(compile, peer->transport, "verifyDepth", (int64_t)depth, verify->span);
}

static void put_certificate(const struct peer *peer)
{
    struct nginx_compile *compile = peer->place->compile;
    const struct nginx_directive *certificate = find(peer, "certificate"), *key = find(peer, "certificate_key");
    if (certificate == NULL || certificate->words[0].text.len == 0)
        return;
    if (key == NULL) {
        diag_error(compile->diag, certificate->span, "no \"%s_ssl_certificate_key\" is defined for certificate \"%.*s\"", peer->prefix,
                   STR_ARGS(certificate->words[0].text));
        return;
    }
    struct str certificate_file = nginx_certificate_file(compile, certificate), key_file = nginx_certificate_file(compile, key);
    if (certificate_file.len == 0 || key_file.len == 0)
        return;
    struct node *pair = nginx_add_map(compile, nginx_put_list(compile, peer->transport, "certificates", certificate->span), certificate->span);
    nginx_put(compile, pair, "certFile", certificate_file, certificate->words[0].span);
    nginx_put(compile, pair, "keyFile", key_file, key->words[0].span);
    put_file(peer, pair, "passwordFile", "password_file", false);
    if (nginx_has_variables(certificate->words[0].text) || nginx_has_variables(key->words[0].text)) {
        nginx_put(compile, pair, "directory", nginx_conf_path(compile, S(".")), certificate->span);
        nginx_put_certificate_cache(compile, peer->transport, find(peer, "certificate_cache"));
    }
}

static void put_peer(const struct peer *peer)
{
    struct nginx_compile *compile = peer->place->compile;
    const struct nginx_directive *ciphers = find(peer, "ciphers"), *first = NULL;
    bool verified = flag(peer, "verify", false);
    put_verification(peer, verified);
    put_name(peer, verified);
    put_certificate(peer);
    nginx_put_versions(compile, peer->transport, find(peer, "protocols"));
    if (ciphers != NULL)
        nginx_put(compile, peer->transport, "cipherList", ciphers->words[0].text, ciphers->words[0].span);
    if (!flag(peer, "session_reuse", true))
        nginx_put_flag(compile, peer->transport, "disableResumption", true, peer->place->block->span);
    if (str_equal(str_from(peer->prefix), S("proxy")))
        nginx_put_flag(compile, peer->transport, "disableALPN", true, peer->place->block->span);
    const char *commands = arena_printf(compile->arena, "%s_ssl_conf_command", peer->prefix).data;
    first = nginx_all(peer->place->scope, commands);
    nginx_put_commands(compile, peer->transport, first);
}

/* ---- which places ---- */

/* The pass that a place's requests go by: its own, or that of the location that its `if` stands in. */
static const struct nginx_directive *pass_of(const struct nginx_place *place)
{
    for (; place != NULL; place = place->outer) {
        const struct nginx_directive *proxy = nginx_here(place->scope, "proxy_pass"), *grpc = nginx_here(place->scope, "grpc_pass");
        if (proxy != NULL || grpc != NULL)
            return proxy != NULL ? proxy : grpc;
        if (place->kind == NGINX_PLACE_LOCATION || place->kind == NGINX_PLACE_SERVER)
            return NULL;
    }
    return NULL;
}

static struct str host_of(struct str url)
{
    ptrdiff_t scheme = str_find(url, S("://"));
    struct str rest = str_from_index(url, (size_t)scheme + 3);
    size_t len = 0;
    while (len < rest.len && rest.data[len] != '/' && rest.data[len] != '?')
        len++;
    rest = str_first(rest, len);
    ptrdiff_t colon = str_find_last_char(rest, ':'), bracket = str_find_last_char(rest, ']');
    if (str_starts(rest, S("unix")) || nginx_has_variables(rest))
        return STR_NONE;
    return colon > bracket ? str_first(rest, (size_t)colon) : rest;
}

static void ssl_place(struct nginx_place *place)
{
    const struct nginx_directive *pass = pass_of(place);
    if (pass == NULL || pass->count == 0)
        return;
    struct str url = pass->words[0].text;
    bool secure = str_starts_nocase(url, S("https://")) || str_starts_nocase(url, S("grpcs://"));
    if (!secure && !nginx_has_variables(url))
        return;
    struct peer peer = {.place = place, .transport = nginx_place_transport(place), .prefix = nginx_place_prefix(place),
                        .host = secure ? host_of(url) : STR_NONE};
    put_peer(&peer);
}

static const struct nginx_part part = {.name = "proxy_ssl", .order = 10, .place = ssl_place};
REGISTER(nginx_part, part);
