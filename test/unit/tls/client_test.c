#include "tls/client.h"

#include <stdlib.h>
#include <unistd.h>

#include "tls/pair.h"

static const char *shake_towards(struct pair *pair, struct str name)
{
    pair_open(pair, NULL, true, 0);
    int fd = dup(pair->peer.sock.watch.fd);
    sock_close(&pair->peer.sock);
    sock_init(&pair->peer.sock, &pair->worker.loop, pair->peer.sock.on_event);
    assert_true(sock_take(&pair->peer.sock, fd, true));
    pair->peer.conn = tls_connect(&pair->worker, &pair->peer.sock, pair->client, name, NULL, false);
    pair_shake(pair);
    return pair->peer.failure;
}

static void expect(struct tls_client_options options, const char *name, enum status status, const char *words)
{
    struct pair pair;
    struct str pem;
    pair_init(&pair);
    pem = pair.authority.pem;
    pair.client_options = options;
    if (options.root_cas.count == 1 && options.root_cas.items == NULL)
        pair.client_options.root_cas.items = &pem;
    pair_compile(&pair);
    assert_string_equal(shake_towards(&pair, str_from(name)), words);
    assert_int_equal(pair.peer.status, status);
    if (status == STATUS_OK)
        pair_pass(&pair, &pair.server, &pair.peer, S("hello"));
    pair_release(&pair);
}

#define TRUST .root_cas = {.count = 1}

TEST(client_trusts_names_and_addresses_that_the_certificate_has)
{
    expect((struct tls_client_options){TRUST}, "a.example", STATUS_OK, "");
    expect((struct tls_client_options){TRUST}, "127.0.0.1", STATUS_OK, "");
    expect((struct tls_client_options){TRUST, .server_name = STR("a.example")}, "10.0.0.1", STATUS_OK, "");
    expect((struct tls_client_options){TRUST}, "b.example", STATUS_UPSTREAM_UNTRUSTED,
           "hostname mismatch: the certificate is for a.example, 127.0.0.1");
    expect((struct tls_client_options){TRUST}, "127.0.0.2", STATUS_UPSTREAM_UNTRUSTED,
           "address mismatch: the certificate is for a.example, 127.0.0.1");
}

TEST(client_distrusts_strangers_unless_told_not_to_look)
{
    expect((struct tls_client_options){.origin = NULL}, "a.example", STATUS_UPSTREAM_UNTRUSTED,
           "unable to get local issuer certificate");
    expect((struct tls_client_options){.insecure_skip_verify = true}, "b.example", STATUS_OK, "");
}

TEST(client_takes_one_of_the_names_asked_for_in_place_of_the_host)
{
    struct str uri[] = {STR("spiffe://other"), STR("spiffe://x/y")}, dns[] = {STR("a.example")}, none[] = {STR("c.example")};
    struct str address[] = {STR("127.0.0.1")};
    expect((struct tls_client_options){TRUST, .peer_cert_sans = {uri, 2}}, "b.example", STATUS_OK, "");
    expect((struct tls_client_options){TRUST, .peer_cert_sans = {dns, 1}}, "b.example", STATUS_OK, "");
    expect((struct tls_client_options){TRUST, .peer_cert_sans = {address, 1}}, "b.example", STATUS_OK, "");
    expect((struct tls_client_options){TRUST, .peer_cert_sans = {none, 1}}, "a.example", STATUS_UPSTREAM_UNTRUSTED,
           "none of peerCertSANs is in the server's certificate");
    expect((struct tls_client_options){.peer_cert_sans = {dns, 1}}, "a.example", STATUS_UPSTREAM_UNTRUSTED,
           "unable to get local issuer certificate");
}

TEST(client_does_not_name_addresses_to_the_server)
{
    struct pair pair;
    pair_init(&pair);
    pair_compile(&pair);
    assert_string_equal(shake_towards(&pair, S("127.0.0.1")), "");
    assert_str_equal(tls_server_name(pair.server.conn), STR_NONE);
    pair_release(&pair);
}

TEST(client_says_which_file_is_missing_or_no_certificate)
{
    struct arena arena;
    struct diag diag;
    struct str bad[] = {STR("/nonexistent/ca.pem"), STR("/dev/null")};
    arena_init(&arena, ARENA_UNLIMITED);
    diag_init(&diag, &arena);
    struct tls_client_options options = {.root_cas = {bad, 2}};
    assert_null(tls_client_new(&options, &arena, &diag));
    assert_int_equal(diag.errors, 2);
    assert_str_equal(diag.items[0].message, S("/nonexistent/ca.pem cannot be read: No such file or directory"));
    assert_str_equal(diag.items[1].message, S("/dev/null holds no certificate"));
    diag_release(&diag);
    arena_release(&arena);
}

TEST(client_warns_when_the_system_has_no_authorities)
{
    struct arena arena;
    struct diag diag;
    arena_init(&arena, ARENA_UNLIMITED);
    diag_init(&diag, &arena);
    setenv("SSL_CERT_FILE", "/nonexistent/file", 1);
    setenv("SSL_CERT_DIR", "/nonexistent/folder", 1);
    struct tls_client *client = tls_client_new(&(struct tls_client_options){0}, &arena, &diag);
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    assert_non_null(client);
    assert_int_equal(diag.warnings, 1);
    tls_client_free(client);
    client = tls_client_new(&(struct tls_client_options){.insecure_skip_verify = true}, &arena, &diag);
    assert_int_equal(diag.warnings, 1);
    tls_client_free(client);
    diag_release(&diag);
    arena_release(&arena);
}

TEST(client_shows_its_certificate)
{
    struct pair pair;
    struct str pem;
    pair_init(&pair);
    pem = pair.authority.pem;
    struct issued own;
    issue(&pair.arena, &(struct wish){.name = "proxy", .issuer = &pair.authority}, &own);
    struct tls_pair shown = {.cert_file = own.pem, .key_file = own.key_pem};
    struct object_item item = {.value = &shown};
    pair.options.client_auth = (struct tls_client_auth){.depth = -1, .type = CLIENT_AUTH_REQUIRE, .ca_files = {&pem, 1}};
    pair.client_options.certificates = (struct objects){.items = &item, .count = 1};
    pair_compile(&pair);
    assert_string_equal(shake_towards(&pair, S("a.example")), "");
    assert_int_equal(pair.server.status, STATUS_OK);
    assert_str_equal(tls_peer_subject(pair.server.conn), S("CN=proxy"));
    pair_release(&pair);
    issued_free(&own);
}
