#include "tls/conn.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls/conn_state.h"
#include "tls/pair.h"

/* By the library's records, and by our own. */
#define TEST_EACH_VERSION(sentence) \
    static void each_##sentence(int version); \
    TEST(sentence) \
    { \
        each_##sentence(TLS1_2_VERSION); \
        each_##sentence(TLS1_3_VERSION); \
    } \
    static void each_##sentence(int version)

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

TEST_EACH_VERSION(tls_carries_a_megabyte_each_way)
{
    struct pair pair;
    char *bytes = pattern(1 << 20);
    pair_init(&pair);
    pair.options.max_version = version;
    pair_compile(&pair);
    pair_connect(&pair);
    pair_pass(&pair, &pair.server, &pair.peer, str_of(bytes, 1 << 20));
    pair_pass(&pair, &pair.peer, &pair.server, str_of(bytes, 1 << 20));
    pair_release(&pair);
    free(bytes);
}

TEST_EACH_VERSION(tls_counts_plain_bytes_as_written_only_when_they_have_left)
{
    struct pair pair;
    size_t size = 300000;
    char *bytes = pattern(size);
    pair_init(&pair);
    pair.options.max_version = version;
    pair_compile(&pair);
    pair_open(&pair, NULL, false, 4096);
    pair_shake(&pair);
    assert_int_equal(pair.server.status, STATUS_OK);
    size_t sent = 0, now = 0;
    struct iovec vector = {bytes, size};
    assert_int_equal(sock_write(&pair.server.sock, &vector, 1, false, &sent), STATUS_OK);
    assert_true(sent < size);
    assert_int_equal(sock_write(&pair.server.sock, &vector, 1, false, &now), STATUS_AGAIN);
    /* What was told to be written has left: the peer can read all of it but the record that is cut. */
    char *out = malloc(size);
    size_t got = 0;
    pair_turn(&pair);
    while (sock_read(&pair.peer.sock, out + got, size - got, &now) == STATUS_OK)
        got += now;
    assert_true(got <= sent + 16384 && sent <= got + 16384);
    assert_memory_equal(out, bytes, got);
    free(out);
    pair_close(&pair);
    /* And all of it comes through in the end, both ways. */
    pair_open(&pair, NULL, false, 4096);
    pair_shake(&pair);
    pair_pass(&pair, &pair.server, &pair.peer, str_of(bytes, size));
    pair_pass(&pair, &pair.peer, &pair.server, str_of(bytes, size));
    pair_release(&pair);
    free(bytes);
}

/* Who gives other amounts of the same bytes next time: less than is withheld, then more. */
TEST_EACH_VERSION(tls_write_goes_on_with_any_part_of_the_bytes_that_come_first)
{
    struct pair pair;
    size_t size = 200000, sent = 0, got = 0, now = 0;
    char *bytes = pattern(size), *out = malloc(size);
    pair_init(&pair);
    pair.options.max_version = version;
    pair_compile(&pair);
    pair_open(&pair, NULL, false, 4096);
    pair_shake(&pair);
    for (unsigned step = 0; got < size && step < 100000; step++) {
        size_t len = step % 3 == 0 ? size - sent : step % 3 == 1 ? 1 : 5000;
        if (len > size - sent)
            len = size - sent;
        struct iovec vectors[3] = {{bytes + sent, len / 2}, {bytes, 0}, {bytes + sent + len / 2, len - len / 2}};
        if (len != 0 && sock_write(&pair.server.sock, vectors, 3, step % 2 == 0, &now) == STATUS_OK) {
            assert_in_range(now, 1, len);
            sent += now;
        }
        pair_turn(&pair);
        if (sock_may_read(&pair.peer.sock) && sock_read(&pair.peer.sock, out + got, size - got, &now) == STATUS_OK)
            got += now;
    }
    assert_int_equal(got, size);
    assert_memory_equal(out, bytes, size);
    pair_release(&pair);
    free(bytes);
    free(out);
}

/* Plain descriptor: what one write of the layer put on the wire. */
static size_t records_on_wire(struct pair *pair, size_t *ret_records)
{
    static unsigned char wire[200000];
    ssize_t got = recv(pair->peer.sock.watch.fd, wire, sizeof(wire), MSG_PEEK | MSG_DONTWAIT);
    size_t len = got > 0 ? (size_t)got : 0;
    *ret_records = 0;
    for (size_t at = 0; at + 5 <= len; at += 5U + (size_t)(wire[at + 3] << 8 | wire[at + 4]))
        (*ret_records)++;
    return len;
}

TEST(tls_joins_a_head_and_its_body_in_one_record_behind_the_ticket)
{
    struct pair pair;
    size_t sent = 0, records = 0;
    char out[64];
    pair_init(&pair);
    pair_compile(&pair);
    pair_open(&pair, NULL, false, 0);
    while (pair.server.status == STATUS_AGAIN) {
        bool shaking = pair.peer.status == STATUS_AGAIN;
        if (shaking)
            pair.peer.status = tls_handshake(pair.peer.conn);
        if (shaking && pair.peer.status == STATUS_OK) /* a request comes with the end of the handshake */
            assert_int_equal(sock_write(&pair.peer.sock, &(struct iovec){(void *)(uintptr_t) "ask", 3}, 1, false, &sent),
                             STATUS_OK);
        pair_turn(&pair);
        if (pair.server.status == STATUS_AGAIN)
            pair.server.status = tls_handshake(pair.server.conn);
    }
    assert_true(sock_may_read(&pair.server.sock));
    pair_turn(&pair);
    assert_int_equal(records_on_wire(&pair, &records), 0);
    struct iovec answer[] = {{(void *)(uintptr_t) "head", 4}, {(void *)(uintptr_t) "body", 4}};
    assert_int_equal(sock_write(&pair.server.sock, answer, 2, false, &sent), STATUS_OK);
    assert_int_equal(sent, 8);
    records_on_wire(&pair, &records);
    assert_int_equal(records, 2); /* the ticket, and this */
    pair_turn(&pair);
    assert_int_equal(sock_read(&pair.peer.sock, out, sizeof(out), &sent), STATUS_OK);
    assert_int_equal(sent, 8);
    assert_memory_equal(out, "headbody", 8);
    assert_int_equal(pair.sessions, 1);
    pair_release(&pair);
}

TEST(tls_sends_the_ticket_at_the_end_of_the_turn_when_nothing_was_asked)
{
    struct pair pair;
    size_t got;
    char out[8];
    pair_init(&pair);
    pair_compile(&pair);
    pair_connect(&pair);
    pair_turn(&pair);
    pair_turn(&pair);
    assert_int_equal(sock_read(&pair.peer.sock, out, sizeof(out), &got), STATUS_AGAIN);
    assert_int_equal(pair.sessions, 1);
    assert_int_equal(chunk_pool_in_use(&pair.worker.chunks), 0);
    pair_release(&pair);
}

TEST_EACH_VERSION(tls_reads_on_without_an_event_while_the_layer_holds_bytes)
{
    struct pair pair;
    char *bytes = pattern(40000), out[1000];
    size_t sent = 0, got = 0, total = 0;
    pair_init(&pair);
    pair.options.max_version = version;
    pair_compile(&pair);
    pair_connect(&pair);
    assert_int_equal(sock_write(&pair.peer.sock, &(struct iovec){bytes, 40000}, 1, false, &sent), STATUS_OK);
    assert_int_equal(sent, 40000);
    pair_turn(&pair);
    while (sock_may_read(&pair.server.sock)) {
        enum status status = sock_read(&pair.server.sock, out, sizeof(out), &got);
        if (status == STATUS_AGAIN)
            break;
        assert_int_equal(status, STATUS_OK);
        assert_memory_equal(out, bytes + total, got);
        total += got;
    }
    assert_int_equal(total, 40000);
    assert_false(sock_may_read(&pair.server.sock));
    pair_release(&pair);
    free(bytes);
}

TEST_EACH_VERSION(tls_goes_along_when_the_socket_moves_in_the_middle_of_data)
{
    struct pair pair;
    struct end other;
    char *bytes = pattern(30000), out[30000];
    size_t sent = 0, got = 0, total = 0;
    pair_init(&pair);
    pair.options.max_version = version;
    pair_compile(&pair);
    pair_connect(&pair);
    assert_int_equal(sock_write(&pair.peer.sock, &(struct iovec){bytes, 30000}, 1, false, &sent), STATUS_OK);
    pair_turn(&pair);
    assert_int_equal(sock_read(&pair.server.sock, out, 100, &total), STATUS_OK);
    assert_true(pair.server.sock.buffered);
    memset(&other, 0, sizeof(other));
    sock_init(&other.sock, &pair.worker.loop, pair.server.sock.on_event);
    assert_true(sock_move(&other.sock, &pair.server.sock));
    assert_null(tls_of(&pair.server.sock));
    assert_ptr_equal(tls_of(&other.sock), pair.server.conn);
    memset(&pair.server.sock, 0xEE, sizeof(pair.server.sock)); /* nobody looks there any more */
    while (total < 30000 && sock_may_read(&other.sock)) {
        assert_int_equal(sock_read(&other.sock, out + total, sizeof(out) - total, &got), STATUS_OK);
        total += got;
        pair_turn(&pair);
    }
    assert_int_equal(total, 30000);
    assert_memory_equal(out, bytes, 30000);
    pair.server.sock.watch.fd = -1;
    pair_pass(&pair, &other, &pair.peer, S("back"));
    sock_close(&other.sock);
    pair_release(&pair);
    free(bytes);
}

TEST_EACH_VERSION(tls_takes_what_was_read_before_it_as_input)
{
    struct pair pair;
    pair_init(&pair);
    pair.options.max_version = version;
    pair_compile(&pair);
    pair_open(&pair, NULL, true, 0);
    /* The server's end begins anew, with the first bytes in a chunk behind three others. */
    int fd = pair.server.sock.watch.fd;
    pair.peer.status = tls_handshake(pair.peer.conn);
    struct chunk *input = chunk_new(&pair.worker.chunks, false);
    memcpy(input->data, "???", 3);
    ssize_t got = read(fd, input->data + 3, 50);
    assert_int_equal(got, 50);
    input->used = 53;
    struct sock fresh;
    sock_init(&fresh, &pair.worker.loop, pair.server.sock.on_event);
    int copy = dup(fd);
    sock_close(&pair.server.sock);
    pair_turn(&pair);
    sock_init(&pair.server.sock, &pair.worker.loop, fresh.on_event);
    assert_true(sock_take(&pair.server.sock, copy, true));
    pair.server.conn = tls_accept(&pair.worker, &pair.server.sock, pair.policy, pair.shown, input, 3);
    pair_shake(&pair);
    assert_int_equal(pair.server.status, STATUS_OK);
    assert_int_equal(pair.peer.status, STATUS_OK);
    pair_pass(&pair, &pair.server, &pair.peer, S("hello"));
    pair_release(&pair);
}

TEST_EACH_VERSION(tls_tells_the_end_and_the_other_direction_goes_on)
{
    struct pair pair;
    char out[16];
    size_t got;
    pair_init(&pair);
    pair.options.max_version = version;
    pair_compile(&pair);
    pair_connect(&pair);
    assert_int_equal(sock_write(&pair.peer.sock, &(struct iovec){(void *)(uintptr_t) "last", 4}, 1, false, &got), STATUS_OK);
    sock_shutdown(&pair.peer.sock);
    pair_turn(&pair);
    assert_int_equal(sock_read(&pair.server.sock, out, sizeof(out), &got), STATUS_OK);
    assert_int_equal(got, 4);
    assert_true(sock_may_read(&pair.server.sock));
    assert_int_equal(sock_read(&pair.server.sock, out, sizeof(out), &got), STATUS_END);
    assert_int_equal(sock_read(&pair.server.sock, out, sizeof(out), &got), STATUS_END);
    pair_pass(&pair, &pair.server, &pair.peer, S("still here"));
    pair_release(&pair);
}

TEST(tls_says_goodbye_when_closed_and_nothing_when_reset)
{
    struct pair pair;
    char wire[256];
    size_t got;
    pair_init(&pair);
    pair_compile(&pair);
    pair_connect(&pair);
    pair_pass(&pair, &pair.server, &pair.peer, S("x"));
    sock_close(&pair.server.sock);
    assert_int_equal(recv(pair.peer.sock.watch.fd, wire, sizeof(wire), MSG_PEEK), 24); /* a close_notify */
    pair_turn(&pair);
    assert_int_equal(sock_read(&pair.peer.sock, wire, sizeof(wire), &got), STATUS_END);
    pair_close(&pair);
    pair_connect(&pair);
    pair_pass(&pair, &pair.server, &pair.peer, S("x"));
    sock_reset(&pair.server.sock);
    assert_int_equal(recv(pair.peer.sock.watch.fd, wire, sizeof(wire), MSG_PEEK), 0);
    pair_release(&pair);
}

TEST_EACH_VERSION(tls_closes_in_every_state)
{
    struct pair pair;
    pair_init(&pair);
    pair.options.max_version = version;
    pair_compile(&pair);
    for (unsigned steps = 0; steps < 8; steps++) {
        for (unsigned way = 0; way < 4; way++) {
            pair_open(&pair, NULL, true, 0);
            for (unsigned i = 0; i < steps; i++) {
                struct end *end = i % 2 == 0 ? &pair.peer : &pair.server;
                if (end->status == STATUS_AGAIN)
                    end->status = tls_handshake(end->conn);
                if (i != 5) /* once with a flush still to come */
                    pair_turn(&pair);
            }
            struct end *gone = way % 2 == 0 ? &pair.peer : &pair.server;
            struct end *left = way % 2 == 0 ? &pair.server : &pair.peer;
            if (way < 2)
                sock_close(&gone->sock);
            else
                sock_reset(&gone->sock);
            pair_turn(&pair);
            while (left->status == STATUS_AGAIN)
                left->status = tls_handshake(left->conn);
            pair_close(&pair);
            assert_int_equal(chunk_pool_in_use(&pair.worker.chunks), 0);
        }
    }
    pair_release(&pair);
}

TEST(tls_handshake_says_that_the_peer_closed)
{
    struct pair pair;
    pair_init(&pair);
    pair_compile(&pair);
    pair_open(&pair, NULL, true, 0);
    (void)tls_handshake(pair.peer.conn);
    pair_turn(&pair);
    assert_int_equal(tls_handshake(pair.server.conn), STATUS_AGAIN);
    shutdown(pair.peer.sock.watch.fd, SHUT_WR);
    pair_turn(&pair);
    assert_int_equal(tls_handshake(pair.server.conn), STATUS_CLIENT_TLS);
    assert_string_equal(tls_failure(pair.server.conn), "the client closed the connection");
    pair_close(&pair);
    pair_open(&pair, NULL, true, 0);
    (void)tls_handshake(pair.peer.conn);
    sock_close(&pair.server.sock);
    pair_turn(&pair);
    assert_int_equal(tls_handshake(pair.peer.conn), STATUS_UPSTREAM_TLS);
    assert_string_equal(tls_failure(pair.peer.conn), "the server reset the connection");
    pair_release(&pair);
}

static void expect_failure_of(const char *bytes, size_t len, const char *words)
{
    struct pair pair;
    pair_init(&pair);
    pair_compile(&pair);
    pair_open(&pair, NULL, true, 0);
    assert_int_equal(write(pair.peer.sock.watch.fd, bytes, len), (ssize_t)len);
    pair_turn(&pair);
    assert_int_equal(tls_handshake(pair.server.conn), STATUS_CLIENT_TLS);
    assert_string_equal(tls_failure(pair.server.conn), words);
    assert_int_equal(tls_handshake(pair.server.conn), STATUS_CLIENT_TLS);
    pair_release(&pair);
}

TEST(tls_handshake_refuses_garbage_in_plain_words)
{
    static const char bad_hello[] = "\x16\x03\x01\x00\x08\x01\x00\x00\x04\x03\x03\x00\x00";
    expect_failure_of("GET / HTTP/1.1\r\n\r\n", 18, "the client speaks plain HTTP");
    expect_failure_of("\x05\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 12, "the client does not speak TLS");
    expect_failure_of(bad_hello, sizeof(bad_hello) - 1, "the client sent a malformed message");
}

TEST_EACH_VERSION(tls_read_fails_on_a_record_that_was_tampered_with)
{
    struct pair pair;
    char out[16];
    size_t got;
    pair_init(&pair);
    pair.options.max_version = version;
    pair_compile(&pair);
    pair_connect(&pair);
    static const char forged[] = "\x17\x03\x03\x00\x20................................";
    assert_int_equal(write(pair.peer.sock.watch.fd, forged, 37), 37);
    pair_turn(&pair);
    assert_int_equal(sock_read(&pair.server.sock, out, sizeof(out), &got), STATUS_IO_ERROR);
    assert_int_equal(sock_read(&pair.server.sock, out, sizeof(out), &got), STATUS_IO_ERROR);
    assert_int_equal(sock_write(&pair.server.sock, &(struct iovec){out, 1}, 1, false, &got), STATUS_IO_ERROR);
    pair_release(&pair);
}

TEST(tls_answers_key_updates)
{
    struct pair pair;
    pair_init(&pair);
    pair_compile(&pair);
    pair_connect(&pair);
    for (int i = 0; i < 20; i++) {
        pair_pass(&pair, &pair.peer, &pair.server, S("ask"));
        assert_int_equal(SSL_key_update(pair.peer.conn->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        pair_pass(&pair, &pair.peer, &pair.server, S("more"));
        pair_pass(&pair, &pair.server, &pair.peer, S("answer"));
    }
    pair_turn(&pair);
    assert_int_equal(chunk_pool_in_use(&pair.worker.chunks), 0);
    pair_release(&pair);
}
