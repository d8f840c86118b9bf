#include "tls/conn.h"

#include <stdlib.h>

#include "tls/pair.h"
#include "tls/tickets.h"

static char *pattern(size_t size)
{
    char *bytes = malloc(size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    return bytes;
}

TEST(tls_shakes_hands_and_says_what_was_agreed)
{
    struct pair pair;
    pair_init(&pair);
    pair_compile(&pair);
    pair_connect(&pair);
    assert_ptr_equal(tls_of(&pair.server.sock), pair.server.conn);
    assert_string_equal(tls_version_text(pair.server.conn), "1.3");
    assert_string_equal(tls_cipher_text(pair.server.conn), "TLS_AES_128_GCM_SHA256");
    assert_str_equal(tls_server_name(pair.server.conn), S("a.example"));
    assert_str_equal(tls_policy_name(pair.server.conn), S("default"));
    assert_true(tls_chose_h2(pair.server.conn) && tls_chose_h2(pair.peer.conn));
    assert_false(tls_resumed(pair.server.conn));
    assert_null(tls_peer_certificate(pair.server.conn));
    assert_str_equal(tls_peer_subject(pair.server.conn), STR_NONE);
    assert_str_equal(tls_peer_subject(pair.peer.conn), S("CN=leaf"));
    pair_release(&pair);
}

TEST(tls_carries_a_megabyte_each_way)
{
    struct pair pair;
    char *bytes = pattern(1 << 20);
    pair_init(&pair);
    pair_compile(&pair);
    pair_connect(&pair);
    pair_pass(&pair, &pair.server, &pair.peer, str_of(bytes, 1 << 20));
    pair_pass(&pair, &pair.peer, &pair.server, str_of(bytes, 1 << 20));
    pair_release(&pair);
    free(bytes);
}
