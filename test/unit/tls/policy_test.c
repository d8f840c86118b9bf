#include "tls/policy.h"

#include <openssl/ssl.h>
#include <unistd.h>

#include "tls/conn_state.h"
#include "tls/pair.h"
#include "tls/tickets.h"

static struct strs list(struct str *items, size_t count)
{
    return (struct strs){.items = items, .count = count};
}

/* One handshake; the server's words for its failure, or "". */
static const char *shake(struct pair *pair, SSL_SESSION *session, bool h2)
{
    pair_close(pair);
    pair_open(pair, session, h2, 0);
    pair_shake(pair);
    pair_turn(pair);
    return pair->server.failure;
}

/* Lets the client see the ticket, which TLS 1.3 sends behind the handshake. */
static void settle(struct pair *pair)
{
    if (pair->server.status == STATUS_OK && pair->peer.status == STATUS_OK)
        pair_pass(pair, &pair->server, &pair->peer, S("x"));
}

static SSL_SESSION *last_session(struct pair *pair)
{
    SSL_SESSION *session = pair->session;
    pair->session = NULL;
    return session;
}

/* ---- versions, suites, groups ---- */

TEST(policy_maps_every_name_that_go_knows)
{
    static const char *const names[] = {
        "TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "TLS_RSA_WITH_RC4_128_SHA", "TLS_AES_128_GCM_SHA256"};
    struct arena arena;
    size_t offset, length;
    arena_init(&arena, ARENA_UNLIMITED);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_null(policy_check_cipher(str_from(names[i]), &arena, &offset, &length));
    assert_string_equal(policy_check_cipher(S("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA265"), &arena, &offset, &length),
                        "is not a cipher suite that is known; did you mean 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'?");
    assert_null(policy_check_curve(S("CurveP256"), &arena, &offset, &length));
    assert_null(policy_check_curve(S("secp384r1"), &arena, &offset, &length));
    assert_non_null(policy_check_curve(S("Curve25519x"), &arena, &offset, &length));
    arena_release(&arena);
}

TEST(policy_speaks_the_versions_and_suites_that_are_asked_for)
{
    static const struct {
        int min, max;
        const char *version, *cipher;
    } cases[] = {{0, TLS1_2_VERSION, "1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
                 {TLS1_VERSION, TLS1_VERSION, "1.0", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
                 {TLS1_VERSION, TLS1_1_VERSION, "1.1", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
                 {0, 0, "1.3", "TLS_AES_128_GCM_SHA256"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pair pair;
        struct str suites[] = {STR("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"), STR("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA")};
        pair_init(&pair);
        pair.options.min_version = cases[i].min;
        pair.options.max_version = cases[i].max;
        pair.options.cipher_suites = list(suites, 2);
        pair.client_options.min_version = TLS1_VERSION;
        pair.client_options.cipher_suites = list(suites, 2);
        pair_compile(&pair);
        assert_string_equal(shake(&pair, NULL, true), "");
        assert_string_equal(tls_version_text(pair.server.conn), cases[i].version);
        assert_string_equal(tls_cipher_text(pair.server.conn), cases[i].cipher);
        pair_pass(&pair, &pair.server, &pair.peer, S("hello"));
        pair_pass(&pair, &pair.peer, &pair.server, S("hello"));
        pair_release(&pair);
    }
}

TEST(policy_failures_are_told_in_plain_words)
{
    struct pair pair;
    struct str suite[] = {STR("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")}, curve[] = {STR("CurveP521")};
    pair_init(&pair);
    pair.options.min_version = TLS1_3_VERSION;
    pair.client_options.max_version = TLS1_2_VERSION;
    pair_compile(&pair);
    assert_string_equal(shake(&pair, NULL, true), "the client speaks no version that is allowed");
    assert_string_equal(pair.peer.failure, "the server refused: no version in common");
    pair_release(&pair);

    pair_init(&pair);
    pair.options.max_version = TLS1_2_VERSION;
    pair.options.cipher_suites = list(suite, 1); /* for RSA, but the key is an elliptic one */
    pair_compile(&pair);
    assert_string_equal(shake(&pair, NULL, true), "no cipher suite in common");
    assert_int_equal(pair.peer.status, STATUS_UPSTREAM_TLS);
    pair_release(&pair);

    pair_init(&pair);
    pair.options.curve_preferences = list(curve, 1);
    pair_compile(&pair);
    assert_string_equal(shake(&pair, NULL, true), "no key exchange group in common");
    pair_release(&pair);
}

TEST(policy_reports_what_cannot_be)
{
    struct arena arena;
    struct diag diag;
    struct str names[] = {STR("TLS_NONE"), STR("TLS_RSA_WITH_RC4_128_SHA")}, missing[] = {STR("/nonexistent/ca.pem")};
    arena_init(&arena, ARENA_UNLIMITED);
    diag_init(&diag, &arena);
    struct tls_options options = {.cipher_suites = list(names, 2), .curve_preferences = list(names, 1)};
    assert_null(policy_new(&options, S("bad"), &diag));
    assert_int_equal(diag.errors, 2);
    assert_int_equal(diag.warnings, 1);
    options = (struct tls_options){.cipher_suites = list(names + 1, 1)};
    assert_null(policy_new(&options, S("bad"), &diag));
    assert_int_equal(diag.errors, 3);
    options = (struct tls_options){.min_version = TLS1_3_VERSION, .max_version = TLS1_2_VERSION};
    assert_null(policy_new(&options, S("bad"), &diag));
    assert_int_equal(diag.errors, 4);
    options = (struct tls_options){.client_auth = {.type = CLIENT_AUTH_REQUIRE}};
    assert_null(policy_new(&options, S("bad"), &diag));
    assert_int_equal(diag.errors, 5);
    options = (struct tls_options){.client_auth = {.type = CLIENT_AUTH_REQUIRE, .ca_files = list(missing, 1)}};
    assert_null(policy_new(&options, S("bad"), &diag));
    assert_int_equal(diag.errors, 6);
    assert_str_equal(diag.items[diag.count - 1].message, S("/nonexistent/ca.pem cannot be read: No such file or directory"));
    diag_release(&diag);
    arena_release(&arena);
}

/* ---- ALPN ---- */

TEST(policy_prefers_the_protocol_that_its_list_begins_with)
{
    struct pair pair;
    struct str http1_first[] = {STR("http/1.1"), STR("h2")}, h2_alone[] = {STR("h2"), STR("acme-tls/1")};
    pair_init(&pair);
    pair.options.alpn_protocols = list(http1_first, 2);
    pair_compile(&pair);
    assert_true(pair.policy->h2 && pair.policy->http1);
    assert_string_equal(shake(&pair, NULL, true), "");
    assert_false(tls_chose_h2(pair.server.conn));
    pair_release(&pair);

    pair_init(&pair);
    pair.options.alpn_protocols = list(h2_alone, 2);
    pair_compile(&pair);
    assert_true(pair.policy->h2 && !pair.policy->http1);
    assert_string_equal(shake(&pair, NULL, true), "");
    assert_true(tls_chose_h2(pair.server.conn) && tls_chose_h2(pair.peer.conn));
    assert_string_equal(shake(&pair, NULL, false), "no application protocol in common (ALPN)");
    assert_string_equal(pair.peer.failure, "the server refused: no application protocol in common (ALPN)");
    pair_release(&pair);
}

/* The client's offer is set by hand: NULL for none. */
static const char *shake_offer(struct pair *pair, bool challenge, const char *offer)
{
    pair_close(pair);
    pair_open(pair, NULL, true, 0);
    if (challenge) {
        int fd = dup(pair->server.sock.watch.fd);
        sock_close(&pair->server.sock);
        sock_init(&pair->server.sock, &pair->worker.loop, pair->server.sock.on_event);
        assert_true(sock_take(&pair->server.sock, fd, true));
        pair->server.conn = tls_accept_challenge(&pair->worker, &pair->server.sock, pair->policy, pair->shown, NULL, 0);
    }
    assert_int_equal(SSL_set_alpn_protos(pair->peer.conn->ssl, (const unsigned char *)offer, (unsigned)strlen(offer)), 0);
    pair_shake(pair);
    return pair->server.failure;
}

TEST(policy_answers_challenges_only_to_who_asks_for_nothing_else)
{
    struct pair pair;
    struct str authority;
    pair_init(&pair);
    authority = pair.authority.pem;
    pair.options.client_auth = (struct tls_client_auth){.depth = -1, .type = CLIENT_AUTH_REQUIRE, .ca_files = list(&authority, 1)};
    pair_compile(&pair);
    assert_string_equal(shake_offer(&pair, true, "\012acme-tls/1"), "");
    assert_int_equal(pair.peer.status, STATUS_OK);
    assert_string_equal(shake_offer(&pair, true, "\002h2\012acme-tls/1"), "no application protocol in common (ALPN)");
    assert_string_equal(shake_offer(&pair, false, "\012acme-tls/1"), "no application protocol in common (ALPN)");
    pair_release(&pair);
}

TEST(policy_lets_clients_through_that_offer_no_protocol)
{
    struct pair pair;
    pair_init(&pair);
    pair_compile(&pair);
    assert_string_equal(shake_offer(&pair, false, ""), "");
    assert_int_equal(pair.server.status, STATUS_OK);
    assert_false(tls_chose_h2(pair.server.conn));
    pair_release(&pair);
}

/* ---- client certificates ---- */

enum shown { NOTHING, TRUSTED, STRANGER, EXPIRED, SHOWN };

static void show(struct pair *pair, const struct issued *issued)
{
    SSL_CTX *context = pair->client->context;
    SSL_CTX_use_cert_and_key(context, issued->certificate, issued->key, NULL, 1);
}

TEST(policy_asks_clients_for_certificates_in_all_five_ways)
{
    static const bool passes[][SHOWN] = {[CLIENT_AUTH_NONE] = {true, true, true, true},
                                         [CLIENT_AUTH_REQUEST] = {true, true, true, true},
                                         [CLIENT_AUTH_REQUIRE_ANY] = {false, true, true, true},
                                         [CLIENT_AUTH_VERIFY_IF_GIVEN] = {true, true, false, false},
                                         [CLIENT_AUTH_REQUIRE] = {false, true, false, false}};
    static const char *const words[] = {
        "the client showed no certificate", "",
        "the client's certificate is not trusted: unable to get local issuer certificate",
        "the client's certificate is not trusted: certificate has expired"};
    for (int max = TLS1_2_VERSION; max <= TLS1_3_VERSION; max++) {
        for (int type = CLIENT_AUTH_NONE; type <= CLIENT_AUTH_REQUIRE; type++) {
            for (int what = NOTHING; what < SHOWN; what++) {
                struct pair pair;
                struct issued other, issued[SHOWN];
                pair_init(&pair);
                struct arena *arena = &pair.arena;
                issue(arena, &(struct wish){.name = "other", .authority = true}, &other);
                issue(arena, &(struct wish){.name = "trusted", .issuer = &pair.authority}, &issued[TRUSTED]);
                issue(arena, &(struct wish){.name = "stranger", .issuer = &other}, &issued[STRANGER]);
                issue(arena, &(struct wish){.name = "old", .issuer = &pair.authority, .expired = true}, &issued[EXPIRED]);
                struct str node = pair.authority.pem;
                struct node origin = {.kind = NODE_MAP}, said = {.kind = NODE_SCALAR, .key = STR("clientAuthType")};
                node_append(&origin, &said);
                pair.options.max_version = max;
                pair.options.client_auth = (struct tls_client_auth){.depth = -1, .origin = &origin, .type = type,
                                                                    .ca_files = list(&node, 1)};
                pair_compile(&pair);
                if (what != NOTHING)
                    show(&pair, &issued[what]);
                const char *failure = shake(&pair, NULL, true);
                assert_string_equal(failure, passes[type][what] ? "" : words[what]);
                assert_int_equal(pair.server.status, passes[type][what] ? STATUS_OK : STATUS_CLIENT_TLS);
                bool seen = pair.server.status == STATUS_OK && type != CLIENT_AUTH_NONE && what != NOTHING;
                assert_int_equal(tls_peer_certificate(pair.server.conn) != NULL, seen);
                if (seen && what == TRUSTED)
                    assert_str_equal(tls_peer_subject(pair.server.conn), S("CN=trusted"));
                pair_release(&pair);
                issued_free(&other);
                for (int i = TRUSTED; i < SHOWN; i++)
                    issued_free(&issued[i]);
            }
        }
    }
}

TEST(policy_requires_certificates_where_only_authorities_are_named)
{
    struct pair pair;
    struct str pem;
    pair_init(&pair);
    pem = pair.authority.pem;
    pair.options.client_auth.ca_files = list(&pem, 1);
    pair_compile(&pair);
    assert_string_equal(shake(&pair, NULL, true), "the client showed no certificate");
    pair_release(&pair);
}

/* ---- resumption ---- */

/* Another context of the same options, as a reload makes it. */
static void reload(struct pair *pair, const char *name)
{
    struct tls_policy *before = pair->policy;
    pair->policy = policy_new(&pair->options, str_from(name), &pair->diag);
    assert_non_null(pair->policy);
    policy_unref(before);
}

TEST(tickets_outlive_reloads_and_one_rotation_but_not_two)
{
    for (int max = TLS1_2_VERSION; max <= TLS1_3_VERSION; max++) {
        struct pair pair;
        pair_init(&pair);
        pair.options.max_version = max;
        pair_compile(&pair);
        pair_connect(&pair);
        settle(&pair);
        assert_int_equal(pair.sessions, 1);
        reload(&pair, "default");
        assert_string_equal(shake(&pair, last_session(&pair), true), "");
        assert_true(tls_resumed(pair.server.conn) && tls_resumed(pair.peer.conn));
        assert_str_equal(tls_server_name(pair.server.conn), S("a.example"));
        settle(&pair);
        if (pair.session == NULL) { /* TLS 1.2 gives no other ticket while the key is young */
            assert_string_equal(shake(&pair, NULL, true), "");
            settle(&pair);
        }
        tickets_rotate();
        assert_string_equal(shake(&pair, last_session(&pair), true), "");
        assert_true(tls_resumed(pair.server.conn));
        settle(&pair);
        /* It was renewed under the present key, which is the former one now. */
        tickets_rotate();
        assert_string_equal(shake(&pair, SSL_get1_session(pair.peer.conn->ssl), true), "");
        assert_true(tls_resumed(pair.server.conn));
        settle(&pair);
        SSL_SESSION_free(pair.session);
        pair.session = SSL_get1_session(pair.peer.conn->ssl);
        tickets_rotate();
        tickets_rotate();
        assert_string_equal(shake(&pair, last_session(&pair), true), "");
        assert_false(tls_resumed(pair.server.conn));
        pair_release(&pair);
    }
}

TEST(tickets_of_one_policy_are_of_no_use_with_another)
{
    struct pair pair;
    struct str pem;
    pair_init(&pair);
    pair_compile(&pair);
    pair_connect(&pair);
    settle(&pair);
    reload(&pair, "other");
    assert_string_equal(shake(&pair, last_session(&pair), true), "");
    assert_false(tls_resumed(pair.server.conn));
    settle(&pair);
    pem = pair.authority.pem;
    pair.options.client_auth = (struct tls_client_auth){.depth = -1, .type = CLIENT_AUTH_VERIFY_IF_GIVEN, .ca_files = list(&pem, 1)};
    reload(&pair, "other");
    assert_string_equal(shake(&pair, last_session(&pair), true), "");
    assert_false(tls_resumed(pair.server.conn));
    pair_release(&pair);
}

TEST(tickets_are_not_given_where_they_are_disabled)
{
    for (int max = TLS1_2_VERSION; max <= TLS1_3_VERSION; max++) {
        struct pair pair;
        pair_init(&pair);
        pair.options.max_version = max;
        pair.options.disable_session_tickets = true;
        pair_compile(&pair);
        pair_connect(&pair);
        settle(&pair);
        assert_true(pair.session == NULL || !SSL_SESSION_has_ticket(pair.session));
        pair_release(&pair);
    }
}

TEST(policy_stays_with_its_connections_when_its_graph_is_gone)
{
    for (int way = 0; way < 3; way++) { /* TLS 1.2, TLS 1.3 whole in the library, TLS 1.3 with records of our own */
        struct pair pair;
        pair_init(&pair);
        pair.options.max_version = way == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
        pair.options.library_records = way == 1;
        pair_compile(&pair);
        pair_connect(&pair);
        policy_unref(pair.policy);
        pair.policy = NULL;
        assert_str_equal(tls_policy_name(pair.server.conn), S("default"));
        assert_null(tls_policy_of(pair.peer.conn));
        pair_pass(&pair, &pair.server, &pair.peer, S("hello"));
        pair_release(&pair);
    }
}

TEST(policy_stays_until_hands_are_shaken_when_its_graph_is_gone)
{
    struct pair pair;
    pair_init(&pair);
    pair_compile(&pair);
    pair_open(&pair, NULL, true, 0);
    policy_unref(pair.policy);
    pair.policy = NULL;
    pair_shake(&pair);
    assert_int_equal(pair.server.status, STATUS_OK);
    assert_str_equal(tls_policy_name(pair.server.conn), S("default"));
    assert_true(tls_chose_h2(pair.server.conn));
    pair_release(&pair);
}
