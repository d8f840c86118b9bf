/* Our own records against a peer whose records the test makes itself, with the client's keys. */
#include <openssl/err.h>
#include <sys/socket.h>

#include "tls/conn_state.h"
#include "tls/pair.h"

static struct pair pair;
static struct record_keys keys;     /* the client's for writing, as the server has them for reading */

static void begin(void)
{
    pair_init(&pair);
    pair_compile(&pair);
    pair_connect(&pair);
    assert_null(pair.server.conn->ssl);
    keys = pair.server.conn->own->read;
}

static void put(const void *bytes, size_t len)
{
    assert_int_equal(send(pair.peer.sock.watch.fd, bytes, len, 0), (ssize_t)len);
    pair_turn(&pair);
}

static size_t seal(enum record_type type, struct str plain, char *out)
{
    return record_seal(&pair.worker.tls->engine, &keys, type, plain, out);
}

static void put_record(enum record_type type, struct str plain)
{
    static char wire[RECORD_BYTES + RECORD_EXTRA];
    put(wire, seal(type, plain, wire));
}

static enum status get(char *out, size_t size, size_t *ret_got)
{
    return sock_may_read(&pair.server.sock) ? sock_read(&pair.server.sock, out, size, ret_got) : STATUS_AGAIN;
}

static void expect_refusal(void)
{
    char out[100];
    size_t got;
    assert_int_equal(get(out, sizeof(out), &got), STATUS_IO_ERROR);
    assert_int_equal(get(out, sizeof(out), &got), STATUS_IO_ERROR);
    assert_int_equal(sock_write(&pair.server.sock, &(struct iovec){out, 1}, 1, false, &got), STATUS_IO_ERROR);
    assert_int_equal(chunk_pool_in_use(&pair.worker.chunks), 0);
    pair_release(&pair);
}

/* What the client is told when its records are refused. */
static void expect_alert(enum record_alert alert)
{
    char out[100];
    size_t got;
    assert_int_equal(get(out, sizeof(out), &got), STATUS_IO_ERROR);
    pair_turn(&pair);
    ERR_clear_error();
    conn_enter(pair.peer.conn);
    assert_true(SSL_read(pair.peer.conn->ssl, out, sizeof(out)) <= 0);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_AD_REASON_OFFSET + (int)alert);
    ERR_clear_error();
    expect_refusal();
}

TEST(own_records_come_through_in_pieces_of_any_size)
{
    static char plain[40000], wire[60000], out[40000];
    unsigned seed = 1;
    begin();
    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (char)(i * 7 + i / 256);
    for (unsigned round = 0; round < 60; round++) {
        size_t sealed = 0, given = 0;
        while (given < sizeof(plain)) {
            seed = seed * 1103515245 + 12345;
            size_t len = (seed >> 8) % (round % 2 ? 200 : RECORD_BYTES) + 1;
            len = len < sizeof(plain) - given ? len : sizeof(plain) - given;
            if (sealed + len + RECORD_EXTRA > sizeof(wire))
                break;
            sealed += seal(RECORD_DATA, str_of(plain + given, len), wire + sealed);
            given += len;
        }
        size_t sent = 0, total = 0;
        for (unsigned idle = 0; total < given && idle < 1000; idle++) {
            seed = seed * 1103515245 + 12345;
            size_t piece = (seed >> 8) % (round % 3 ? 30000 : 100) + 1, got = 0;
            piece = piece < sealed - sent ? piece : sealed - sent;
            ssize_t taken = piece != 0 ? send(pair.peer.sock.watch.fd, wire + sent, piece, 0) : 0;
            sent += taken > 0 ? (size_t)taken : 0; /* the socket may be full of small pieces */
            pair_turn(&pair);
            size_t room = (seed >> 4) % (round % 5 ? 33000 : 50) + 1;
            enum status status = get(out + total, room < sizeof(out) - total ? room : sizeof(out) - total, &got);
            assert_true(status == STATUS_OK || status == STATUS_AGAIN);
            total += status == STATUS_OK ? got : 0;
            idle = status == STATUS_OK || taken > 0 ? 0 : idle;
        }
        assert_int_equal(total, given);
        assert_memory_equal(out, plain, given);
        size_t got;
        assert_int_equal(get(out, sizeof(out), &got), STATUS_AGAIN);
        assert_false(sock_may_read(&pair.server.sock));
        assert_int_equal(chunk_pool_in_use(&pair.worker.chunks), 0);
    }
    pair_release(&pair);
}

TEST(a_client_that_asks_for_small_records_gets_them)
{
    static char plain[20000];
    pair_init(&pair);
    pair_compile(&pair);
    assert_int_equal(SSL_CTX_set_tlsext_max_fragment_length(pair.client->context, TLSEXT_max_fragment_length_512), 1);
    pair_connect(&pair);
    pair_pass(&pair, &pair.server, &pair.peer, str_of(plain, sizeof(plain)));
    pair_release(&pair);
}

TEST(own_records_end_with_close_notify_and_what_follows_is_ignored)
{
    char out[10];
    size_t got = 0;
    begin();
    put_record(RECORD_DATA, S("last"));
    put_record(RECORD_ALERT, str_of("\1\x5a", 2)); /* user_canceled says nothing */
    put_record(RECORD_ALERT, str_of("\1\0", 2));
    put_record(RECORD_DATA, S("more"));
    assert_int_equal(get(out, sizeof(out), &got), STATUS_OK);
    assert_int_equal(got, 4);
    assert_int_equal(get(out, sizeof(out), &got), STATUS_END);
    assert_int_equal(get(out, sizeof(out), &got), STATUS_END);
    assert_true(pair.server.sock.peer_done);
    pair_pass(&pair, &pair.server, &pair.peer, S("still here"));
    pair_release(&pair);
}

TEST(own_records_take_the_goodbye_along_with_the_last_bytes)
{
    static char plain[3 * RECORD_BYTES];
    char raw[200], out[10];
    size_t sent = 0, got = 0;
    begin();
    pair_turn(&pair); /* the tickets leave */
    while (recv(pair.peer.sock.watch.fd, raw, sizeof(raw), 0) > 0)
        ;
    pair.server.sock.ending = true;
    assert_int_equal(sock_write(&pair.server.sock, &(struct iovec){plain, 4}, 1, false, &sent), STATUS_OK);
    assert_int_equal(sent, 4);
    ssize_t len = recv(pair.peer.sock.watch.fd, raw, sizeof(raw), 0);
    assert_int_equal(len, 4 + RECORD_EXTRA + 2 + RECORD_EXTRA);
    pair_turn(&pair);
    sock_close(&pair.server.sock); /* which has nothing to add */
    assert_int_equal(recv(pair.peer.sock.watch.fd, raw, sizeof(raw), 0), 0);
    pair_release(&pair);
    begin();
    pair.server.sock.ending = true; /* the peer takes less than all at first */
    sent = 0;
    for (size_t total = 0, now = 0; total < sizeof(plain) || got == 0; total += now, now = 0) {
        struct iovec vector = {plain + total, sizeof(plain) - total};
        if (total < sizeof(plain))
            assert_int_not_equal(sock_write(&pair.server.sock, &vector, 1, false, &now), STATUS_IO_ERROR);
        pair_turn(&pair);
        static char all[3 * RECORD_BYTES];
        size_t here = 0;
        enum status status = sock_may_read(&pair.peer.sock) ? sock_read(&pair.peer.sock, all, sizeof(all), &here) : STATUS_AGAIN;
        sent += here;
        got = status == STATUS_END;
    }
    assert_int_equal(sent, sizeof(plain));
    assert_int_equal(sock_read(&pair.peer.sock, out, sizeof(out), &got), STATUS_END);
    pair_release(&pair);
}

TEST(own_records_end_where_the_stream_does)
{
    char out[10];
    size_t got = 0;
    begin();
    put_record(RECORD_DATA, S("last"));
    put("\x17\x03\x03", 3);
    shutdown(pair.peer.sock.watch.fd, SHUT_WR);
    pair_turn(&pair);
    assert_int_equal(get(out, sizeof(out), &got), STATUS_OK);
    assert_int_equal(get(out, sizeof(out), &got), STATUS_END);
    assert_int_equal(get(out, sizeof(out), &got), STATUS_END);
    pair_release(&pair);
}

TEST(own_records_give_what_came_before_a_bad_one_first)
{
    char out[10];
    size_t got = 0;
    begin();
    char wire[100];
    size_t len = seal(RECORD_DATA, S("good"), wire);
    memcpy(wire + len, "\x14\x03\x03\x00\x01\x01", 6);
    put(wire, len + 6);
    assert_int_equal(get(out, sizeof(out), &got), STATUS_OK);
    assert_int_equal(got, 4);
    expect_refusal();
}

TEST(own_records_refuse_with_the_alert_that_is_due)
{
    begin();
    put("\x14\x03\x03\x00\x01\x01", 6); /* a change_cipher_spec */
    expect_alert(ALERT_UNEXPECTED_MESSAGE);
    begin();
    put("\x17\x03\x03\x00\x20................................", 37);
    expect_alert(ALERT_BAD_RECORD_MAC);
    begin();
    put_record((enum record_type)23, STR_NONE);
    put_record((enum record_type)20, S("?"));
    expect_alert(ALERT_UNEXPECTED_MESSAGE);
    begin();
    put_record(RECORD_HANDSHAKE, str_of("\x18\0\0\1\2", 5));
    expect_alert(ALERT_ILLEGAL_PARAMETER);
    begin();
    put_record(RECORD_HANDSHAKE, str_of("\x18\0\0\1\0\x18\0\0\1\0", 10));
    expect_alert(ALERT_UNEXPECTED_MESSAGE);
    begin();
    put_record(RECORD_HANDSHAKE, str_of("\x01\0\0\0", 4)); /* a second ClientHello */
    expect_alert(ALERT_UNEXPECTED_MESSAGE);
    begin();
    put_record(RECORD_HANDSHAKE, STR_NONE);
    expect_alert(ALERT_UNEXPECTED_MESSAGE);
    begin();
    put_record(RECORD_HANDSHAKE, str_of("\x18\0\0", 3)); /* and something between its pieces */
    put_record(RECORD_DATA, S("x"));
    expect_alert(ALERT_UNEXPECTED_MESSAGE);
    begin();
    put_record(RECORD_HANDSHAKE, str_of("\x18\0", 2)); /* the second piece holds more than the rest */
    put_record(RECORD_HANDSHAKE, str_of("\0\1\0\x18", 4));
    expect_alert(ALERT_UNEXPECTED_MESSAGE);
    begin();
    put_record(RECORD_HANDSHAKE, str_of("\x18\0", 2));
    put_record(RECORD_HANDSHAKE, str_of("\0\2", 2)); /* which is no KeyUpdate's length */
    expect_alert(ALERT_UNEXPECTED_MESSAGE);
    begin();
    put_record(RECORD_ALERT, S("x"));
    expect_alert(ALERT_DECODE_ERROR);
    begin();
    put_record(RECORD_ALERT, STR_NONE);
    expect_alert(ALERT_UNEXPECTED_MESSAGE);
    begin();
    put_record(RECORD_ALERT, str_of("\2\x28", 2)); /* the client's own fatal alert */
    expect_refusal();
}

TEST(own_records_that_carry_nothing_are_borne_a_while)
{
    char out[10];
    size_t got;
    begin();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 30; i++)
            put_record(RECORD_DATA, STR_NONE);
        put_record(RECORD_DATA, S("x"));
        assert_int_equal(get(out, sizeof(out), &got), STATUS_OK);
        assert_int_equal(got, 1);
    }
    for (int i = 0; i < 33; i++)
        put_record(RECORD_DATA, STR_NONE);
    expect_alert(ALERT_UNEXPECTED_MESSAGE);
}

TEST(own_records_take_a_key_update_in_pieces)
{
    char out[10];
    size_t got = 0;
    static const struct str pieces[] = {{"\x18", 1}, {"\0\0\1", 3}, {"\1", 1}};
    begin();
    for (int round = 0; round < 2; round++) {
        struct record_keys before = pair.server.conn->own->write;
        for (unsigned i = 0; i < 3; i++)
            put_record(RECORD_HANDSHAKE, pieces[i]);
        assert_true(record_keys_update(&keys, &pair.worker.tls->engine));
        put_record(RECORD_DATA, S("new"));
        assert_int_equal(get(out, sizeof(out), &got), STATUS_OK);
        assert_int_equal(got, 3);
        assert_memory_not_equal(pair.server.conn->own->write.key, before.key, 16); /* it was asked for ours, too */
    }
    pair_turn(&pair);
    pair_pass(&pair, &pair.server, &pair.peer, S("ours"));
    pair_release(&pair);
}

/* Content type and content may be followed by zeros. */
TEST(own_records_may_be_padded)
{
    char padded[50] = "text\x17", out[60];
    size_t got;
    begin();
    /* A record whose content is "text", its type and zeros: the last of the zeros is sealed as the type. */
    static char wire[200];
    put(wire, seal((enum record_type)0, str_of(padded, sizeof(padded)), wire));
    assert_int_equal(get(out, sizeof(out), &got), STATUS_OK);
    assert_int_equal(got, 4);
    assert_memory_equal(out, "text", 4);
    pair_release(&pair);
}

TEST(own_records_get_new_keys_before_the_old_ones_wear_thin)
{
    begin();
    pair_pass(&pair, &pair.server, &pair.peer, S("before"));
    struct record_keys before = pair.server.conn->own->write;
    conn_enter(pair.server.conn);
    assert_true(conn_seal_key_update(pair.server.conn));
    assert_int_equal(conn_leave_sending(pair.server.conn, false), STATUS_OK);
    assert_int_equal(pair.server.conn->own->write.sequence, 0);
    assert_memory_not_equal(pair.server.conn->own->write.key, before.key, 16);
    pair_pass(&pair, &pair.server, &pair.peer, S("after"));
    /* The client's count cannot be moved along, so this is only looked at. */
    pair.server.conn->own->write.sequence = RECORD_SEQUENCE_MAX;
    assert_true(conn_seal(pair.server.conn, S("x")));
    assert_int_equal(pair.server.conn->own->write.sequence, 1);
    pair.worker.tls->used = 0;
    pair_release(&pair);
}

TEST(own_records_follow_every_kind_of_handshake)
{
    static const char *const suites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"};
    for (unsigned i = 0; i < 3; i++) {
        struct str curve = STR("CurveP384"); /* which the client did not guess: a HelloRetryRequest */
        pair_init(&pair);
        pair.options.curve_preferences = (struct strs){&curve, 1};
        pair.options.disable_session_tickets = i == 1;
        pair_compile(&pair);
        SSL_CTX_set_ciphersuites(pair.client->context, suites[i]);
        pair_connect(&pair);
        assert_null(pair.server.conn->ssl);
        assert_string_equal(tls_cipher_text(pair.server.conn), suites[i]);
        pair_pass(&pair, &pair.server, &pair.peer, S("hello"));
        pair_pass(&pair, &pair.peer, &pair.server, S("hello"));
        pair_release(&pair);
    }
}
