/* ssl_*: each server's own certificates, and sets of TLS options, of which servers that say the same share one. */
#include "config/nginx/ssl.h"

#include "config/nginx/listen.h"

#define SERVERS (NGINX_HTTP | NGINX_SERVER)

static const struct nginx_syntax rows[] = {
    {"ssl_certificate", SERVERS, .min = 1, .max = 1, .repeats = true, .help = "A certificate and its chain."},
    {"ssl_certificate_key", SERVERS, .min = 1, .max = 1, .repeats = true, .help = "Its key."},
    {"ssl_password_file", SERVERS, .min = 1, .max = 1, .help = "Pass phrases of keys."},
    {"ssl_protocols", SERVERS, .min = 1, .max = NGINX_MANY, .help = "The versions that are spoken."},
    {"ssl_ciphers", SERVERS, .min = 1, .max = 1, .help = "Cipher suites of TLS 1.2 and before."},
    {"ssl_prefer_server_ciphers", SERVERS, .flag = true, .min = 1, .max = 1, .help = "Our order of suites counts."},
    {"ssl_ecdh_curve", SERVERS, .min = 1, .max = 1, .help = "Key exchange groups."},
    {"ssl_dhparam", SERVERS, .min = 1, .max = 1, .help = "Parameters of DHE."},
    {"ssl_conf_command", SERVERS, .min = 2, .max = 2, .repeats = true, .help = "What OpenSSL's configuration files can say."},
    {"ssl_verify_client", SERVERS, .min = 1, .max = 1, .help = "Whether clients must show a certificate."},
    {"ssl_verify_depth", SERVERS, .min = 1, .max = 1, .help = "How long chains of clients may be."},
    {"ssl_client_certificate", SERVERS, .min = 1, .max = 1, .help = "Authorities of clients, of which they are told."},
    {"ssl_trusted_certificate", SERVERS, .min = 1, .max = 1, .help = "Authorities of clients, of which they are not told."},
    {"ssl_crl", SERVERS, .min = 1, .max = 1, .help = "Revoked certificates of clients."},
    {"ssl_reject_handshake", SERVERS, .flag = true, .min = 1, .max = 1, .help = "Clients that ask for this server are refused."},
    {"ssl_buffer_size", SERVERS, .min = 1, .max = 1, .noted = "records are as long as what there is to send, up to 16 KiB"},
    {"ssl_early_data", SERVERS, .flag = true, .min = 1, .max = 1, .noted = "early data can be replayed by whoever sees it, so it is not taken: clients send it again"},
    {"ssl_stapling", SERVERS, .flag = true, .min = 1, .max = 1, .help = "OCSP responses are shown with certificates."},
    {"ssl_stapling_file", SERVERS, .min = 1, .max = 1, .help = "A response that is shown instead of asking."},
    {"ssl_stapling_responder", SERVERS, .min = 1, .max = 1, .help = "Whom to ask."},
    {"ssl_stapling_verify", SERVERS, .flag = true, .min = 1, .max = 1, .help = "Responses must be signed by who is trusted."},
    {"ssl_ocsp", SERVERS, .min = 1, .max = 1, .refused = "OCSP is not asked: give lists of revoked certificates by ssl_crl"},
    {"ssl_ocsp_cache", SERVERS, .min = 1, .max = 1, .noted = "OCSP is not asked"},
    {"ssl_ocsp_responder", SERVERS, .min = 1, .max = 1, .noted = "OCSP is not asked"},
    {"ssl_certificate_cache", SERVERS, .min = 1, .max = 3, .help = "How certificates are kept whose files are named with variables."},
    {"ssl_certificate_compression", SERVERS, .flag = true, .min = 1, .max = 1, .noted = "certificates go out as they are"},
    {"ssl_ech_file", SERVERS, .min = 1, .max = 1, .repeats = true, .noted = "Encrypted Client Hello is not spoken: clients fall back"},
    {"ssl_verify_server_name", SERVERS, .min = 1, .max = 1, .noted = "a host that asks for client certificates is not served on a connection made for another one"},
    {"ssl", SERVERS, .flag = true, .min = 1, .max = 1, .refused = "say `listen ... ssl`"},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

/* ---- certificates ---- */

struct str nginx_certificate_file(struct nginx_compile *compile, const struct nginx_directive *directive)
{
    struct nginx_word word = directive->words[0];
    if (str_starts(word.text, S("store:file:")))
        word.text = str_from_index(word.text, 11);
    if (str_starts(word.text, S("engine:")) || str_starts(word.text, S("store:"))) {
        diag_error(compile->diag, word.span, "\"%.*s\" cannot be loaded: keys come from files", STR_ARGS(word.text));
        return STR_NONE;
    }
    if (nginx_has_variables(word.text))
        return nginx_template(compile, &word);
    return str_starts(word.text, S("data:")) ? str_from_index(word.text, 5) : nginx_conf_path(compile, word.text);
}

static void put_pair(struct nginx_server *server, struct node *list, const struct nginx_directive *certificate, const struct nginx_directive *key)
{
    struct nginx_compile *compile = server->compile;
    struct str certificate_file = nginx_certificate_file(compile, certificate), key_file = nginx_certificate_file(compile, key);
    if (certificate_file.len == 0 || key_file.len == 0)
        return;
    struct node *pair = nginx_add_map(compile, list, certificate->span);
    nginx_put(compile, pair, "certFile", certificate_file, certificate->words[0].span);
    nginx_put(compile, pair, "keyFile", key_file, key->words[0].span);
    if (nginx_has_variables(certificate->words[0].text) || nginx_has_variables(key->words[0].text))
        nginx_put(compile, pair, "directory", nginx_conf_path(compile, S(".")), certificate->span);
    const struct nginx_directive *passwords = nginx_find(server->scope, "ssl_password_file");
    if (passwords != NULL)
        nginx_put(compile, pair, "passwordFile", nginx_conf_path(compile, passwords->words[0].text), passwords->words[0].span);
}

static void put_certificates(struct nginx_server *server, struct node *tls)
{
    struct nginx_compile *compile = server->compile;
    const struct nginx_directive *certificate = nginx_all(server->scope, "ssl_certificate");
    const struct nginx_directive *key = nginx_all(server->scope, "ssl_certificate_key");
    struct node *list = certificate != NULL ? nginx_put_list(compile, tls, "certificates", certificate->span) : NULL;
    for (; certificate != NULL; certificate = nginx_same(certificate)) {
        if (key == NULL) {
            diag_error(compile->diag, certificate->span, "no \"ssl_certificate_key\" is defined for certificate \"%.*s\"",
                       STR_ARGS(certificate->words[0].text));
            return;
        }
        put_pair(server, list, certificate, key);
        key = nginx_same(key);
    }
}

/* nginx counts certificates and keys each for themselves. `off` is what holds where nothing is said. */
void nginx_put_certificate_cache(struct nginx_compile *compile, struct node *owner, const struct nginx_directive *directive)
{
    static const char *const times[] = {"valid", "inactive"};
    struct str value;
    const struct nginx_word *word;
    uint64_t max = 0;
    int64_t ms;
    if (directive == NULL || str_equal(directive->words[0].text, S("off")))
        return;
    struct node *cache = nginx_put_map(compile, owner, "certificateCache", directive->span);
    if (!nginx_parameter(directive, 0, "max", &value, &word) || !str_to_u64(value, &max) || max == 0)
        diag_error(compile->diag, directive->span, "\"%.*s\" must have the \"max\" parameter", STR_ARGS(directive->name));
    nginx_put_number(compile, cache, "max", (int64_t)(max < 2000000 ? (max + 1) / 2 : 1000000), directive->span);
    for (size_t i = 0; i < 2; i++) {
        if (!nginx_parameter(directive, 0, times[i], &value, &word))
            continue;
        if (nginx_time(value, &ms))
            nginx_put_time(compile, cache, times[i], ms, word->span);
        else
            nginx_invalid(compile, directive, word);
    }
}

/* A client that asks for no name gets the default server's: there must be one. */
static void check_default(const struct nginx_server *server, const struct nginx_address *address)
{
    struct diag *diag = server->compile->diag;
    if (address->first->block != server->block || !address->tls || nginx_find(server->scope, "ssl_certificate") != NULL ||
        nginx_flag(server->scope, "ssl_reject_handshake", false))
        return;
    diag_error(diag, address->tls_by->span, "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive");
}

/* ---- options ---- */

static const struct {
    struct str name, version;
    int order;
} versions[] = {
    {STR("SSLv2"), STR_NONE, 0},  {STR("SSLv3"), STR_NONE, 0},          {STR("TLSv1"), STR("VersionTLS10"), 1},
    {STR("TLSv1.1"), STR("VersionTLS11"), 2}, {STR("TLSv1.2"), STR("VersionTLS12"), 3}, {STR("TLSv1.3"), STR("VersionTLS13"), 4},
};
#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

/* Versions between the oldest and the newest are spoken too. */
void nginx_put_versions(struct nginx_compile *compile, struct node *options, const struct nginx_directive *directive)
{
    const struct nginx_word *word = NULL;
    size_t oldest = VERSIONS, newest = 0;
    for (size_t i = 0; directive != NULL && i < directive->count; i++) {
        word = &directive->words[i];
        size_t at = 0;
        while (at < VERSIONS && !str_equal(versions[at].name, word->text))
            at++;
        if (at == VERSIONS)
            nginx_invalid(compile, directive, word);
        if (at == VERSIONS || versions[at].order == 0)
            continue;
        oldest = at < oldest ? at : oldest;
        newest = at > newest ? at : newest;
    }
    if (oldest == VERSIONS)
        return;
    nginx_put(compile, options, "minVersion", versions[oldest].version, directive->span);
    nginx_put(compile, options, "maxVersion", versions[newest].version, directive->span);
}

void nginx_put_commands(struct nginx_compile *compile, struct node *options, const struct nginx_directive *first)
{
    for (const struct nginx_directive *it = first; it != NULL; it = nginx_same(it))
        nginx_add_text(compile, nginx_put_list(compile, options, "commands", it->span),
                       arena_printf(compile->arena, "%.*s %.*s", STR_ARGS(it->words[0].text), STR_ARGS(it->words[1].text)), it->words[0].span);
}

static void put_text(struct nginx_server *server, struct node *options, const char *key, const char *name, struct str fallback)
{
    const struct nginx_directive *directive = nginx_find(server->scope, name);
    if (directive != NULL)
        nginx_put(server->compile, options, key, directive->words[0].text, directive->words[0].span);
    else if (fallback.len != 0)
        nginx_put(server->compile, options, key, fallback, server->block->span);
}

static void put_file(struct nginx_server *server, struct node *owner, const char *key, const char *name, bool list)
{
    const struct nginx_directive *directive = nginx_find(server->scope, name);
    if (directive == NULL || directive->words[0].text.len == 0)
        return;
    struct str path = nginx_conf_path(server->compile, directive->words[0].text);
    struct span span = directive->words[0].span;
    if (list)
        nginx_add_text(server->compile, nginx_put_list(server->compile, owner, key, directive->span), path, span);
    else
        nginx_put(server->compile, owner, key, path, span);
}

static const struct {
    struct str word;
    const char *type;
    bool any_authority;
} verifies[] = {{STR("on"), "RequireAndVerifyClientCert", false},
                {STR("optional"), "VerifyClientCertIfGiven", false},
                {STR("optional_no_ca"), "VerifyClientCertIfGiven", true}};

static void put_client_auth(struct nginx_server *server, struct node *options)
{
    struct nginx_compile *compile = server->compile;
    const struct nginx_directive *verify = nginx_find(server->scope, "ssl_verify_client");
    size_t at = 0;
    uint64_t depth = 1;
    if (verify == NULL || str_equal(verify->words[0].text, S("off")))
        return;
    while (at < 3 && !str_equal(verifies[at].word, verify->words[0].text))
        at++;
    if (at == 3) {
        nginx_invalid(compile, verify, &verify->words[0]);
        return;
    }
    const struct nginx_directive *told = nginx_find(server->scope, "ssl_client_certificate"), *hidden = nginx_find(server->scope, "ssl_trusted_certificate");
    bool shows = nginx_find(server->scope, "ssl_certificate") != NULL;
    if (shows && told == NULL && hidden == NULL && !verifies[at].any_authority) {
        diag_error(compile->diag, verify->span, "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client");
        return;
    }
    struct node *auth = nginx_put_map(compile, options, "clientAuth", verify->span);
    nginx_put(compile, auth, "clientAuthType", str_from(verifies[at].type), verify->words[0].span);
    nginx_put_flag(compile, auth, "answer", true, verify->span);
    if (verifies[at].any_authority)
        nginx_put_flag(compile, auth, "anyAuthority", true, verify->span);
    put_file(server, auth, "caFiles", "ssl_client_certificate", true);
    put_file(server, auth, "hiddenCaFiles", "ssl_trusted_certificate", true);
    put_file(server, auth, "crlFiles", "ssl_crl", true);
    const struct nginx_directive *limit = nginx_find(server->scope, "ssl_verify_depth");
    if (limit != NULL && (!str_to_u64(limit->words[0].text, &depth) || depth > 100))
        nginx_invalid(compile, limit, &limit->words[0]);
    nginx_put_number(compile, auth, "depth", (int64_t)depth, verify->span);
}

static void put_stapling(struct nginx_server *server, struct node *options)
{
    const struct nginx_directive *on = nginx_find(server->scope, "ssl_stapling");
    if (!nginx_flag(server->scope, "ssl_stapling", false))
        return;
    struct node *stapling = nginx_put_map(server->compile, options, "ocspStapling", on->span);
    put_file(server, stapling, "file", "ssl_stapling_file", false);
    put_text(server, stapling, "responder", "ssl_stapling_responder", STR_NONE);
    if (nginx_flag(server->scope, "ssl_stapling_verify", false))
        nginx_put_flag(server->compile, stapling, "verify", true, on->span);
    put_file(server, stapling, "caFiles", "ssl_trusted_certificate", true);
    put_file(server, stapling, "caFiles", "ssl_client_certificate", true);
}

static bool speaks_http2(const struct nginx_server *server)
{
    struct nginx_address *found[NGINX_LISTEN_MAX];
    bool http2 = nginx_flag(server->scope, "http2", false);
    for (size_t i = nginx_server_addresses(server, found, NGINX_LISTEN_MAX); i > 0; i--)
        http2 |= found[i - 1]->http2 && found[i - 1]->tls;
    return http2;
}

static void put_options(struct nginx_server *server, struct node *options)
{
    struct nginx_compile *compile = server->compile;
    const struct nginx_directive *groups = nginx_find(server->scope, "ssl_ecdh_curve");
    nginx_put_versions(compile, options, nginx_find(server->scope, "ssl_protocols"));
    put_text(server, options, "cipherList", "ssl_ciphers", S("HIGH:!aNULL:!MD5"));
    if (groups != NULL && !str_equal(groups->words[0].text, S("auto")))
        put_text(server, options, "groupList", "ssl_ecdh_curve", STR_NONE);
    if (!nginx_flag(server->scope, "ssl_prefer_server_ciphers", false))
        nginx_put_flag(compile, options, "preferClientCipherSuites", true, server->block->span);
    put_file(server, options, "dhFile", "ssl_dhparam", false);
    struct node *protocols = nginx_put_list(compile, options, "alpnProtocols", server->block->span);
    if (speaks_http2(server))
        nginx_add_text(compile, protocols, S("h2"), server->block->span);
    nginx_add_text(compile, protocols, S("http/1.1"), server->block->span);
    nginx_put_sessions(server, options);
    put_client_auth(server, options);
    put_stapling(server, options);
    nginx_put_commands(compile, options, nginx_all(server->scope, "ssl_conf_command"));
}

/* What stands in them is the same, in the same order. */
static bool members_equal(const struct node *one, const struct node *other)
{
    if (one->kind != other->kind || one->count != other->count)
        return false;
    if (one->kind == NODE_SCALAR)
        return str_equal(one->text, other->text);
    const struct node *at = node_first(other);
    for (const struct node *it = node_first(one); it != NULL; it = it->next, at = at->next)
        if (!str_equal(it->key, at->key) || !members_equal(it, at))
            return false;
    return true;
}

/* The name of the options: those of another server that says the same, or new ones. */
static struct str intern_options(struct nginx_server *server)
{
    struct nginx_compile *compile = server->compile;
    struct node *section = nginx_section(compile, "tls.options");
    struct node *options = node_new(compile->arena, NODE_MAP, server->block->span);
    put_options(server, options);
    NODE_FOREACH(section, it)
        if (members_equal(it, options))
            return it->key;
    options->key = nginx_unique(compile, "tls.options", S("nginx"));
    options->key_span = server->block->span;
    node_append(section, options);
    return options->key;
}

/* ---- a server ---- */

static void put_tls(struct nginx_server *server, struct nginx_address **addresses, size_t count)
{
    struct nginx_compile *compile = server->compile;
    struct span span = server->block->span;
    struct node *tls = nginx_put_map(compile, server->site, "tls", span);
    nginx_put(compile, tls, "options", intern_options(server), span);
    if (nginx_flag(server->scope, "ssl_reject_handshake", false))
        nginx_put_flag(compile, tls, "rejectHandshake", true, nginx_find(server->scope, "ssl_reject_handshake")->span);
    put_certificates(server, tls);
    nginx_put_certificate_cache(server->compile, tls, nginx_find(server->scope, "ssl_certificate_cache"));
    for (size_t i = 0; i < count; i++) {
        if (!addresses[i]->tls)
            nginx_add_text(compile, nginx_put_list(compile, server->site, "plainOn", span), addresses[i]->name, span);
        else
            check_default(server, addresses[i]);
    }
}

static void ssl_server(struct nginx_server *server)
{
    struct nginx_address *addresses[NGINX_LISTEN_MAX];
    size_t count = nginx_server_addresses(server, addresses, NGINX_LISTEN_MAX);
    bool tls = false;
    for (size_t i = 0; i < count; i++)
        tls |= addresses[i]->tls;
    if (tls)
        put_tls(server, addresses, count);
}

static const struct nginx_part part = {.name = "ssl", .order = -80, .server = ssl_server};
REGISTER(nginx_part, part);
