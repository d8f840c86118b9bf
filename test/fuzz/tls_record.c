/* Our own records of TLS 1.3 (tls/record.h, conn_open.c) as a client sends them. The input is a script: records are sealed
 * here, with the client's keys and by code of its own, and reach the connection through a socket pair, in pieces. A model
 * says what must come of it: exactly the plain bytes up to the first bad record, then its alert, then nothing; and every
 * record that goes back opens, with new keys where the client asked for them. */
#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls/conn_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WIRE_BYTES ((size_t)1 << 17)      /* that may wait to be delivered */
#define PLAIN_BYTES ((size_t)1 << 19)     /* in all */
#define INNER_MAX (RECORD_BYTES + 256 - RECORD_TAG)
#define BARREN 32
#define NO_ALERT (-1)

enum operation { DATA, PADDED, UPDATE, PIECE, ALERT, TYPED, ZEROS, CORRUPT, RAW, WRITE, HANG_UP, DELIVER, OPERATIONS };

/* What is to come of all that was sealed. */
enum outcome {
    OPEN,
    ENDED,      /* close_notify */
    ABORTED,    /* the client's own alert */
    REFUSED,    /* with model.alert */
    SPOILT      /* no plain byte any more; whether it is refused depends on what follows */
};

struct script {
    const uint8_t *bytes;
    size_t len;
};

static struct worker worker;
static struct record_engine engine;     /* the client's, for keys and for opening */
static struct record_keys sealing, opening;
static struct sock server;
static int client;

static char wire[WIRE_BYTES], expected[PLAIN_BYTES], written[PLAIN_BYTES], answer[WIRE_BYTES];
static size_t wire_at, wire_len;        /* of `wire`: not delivered */
static size_t expected_len, read_len;   /* towards the server */
static size_t written_len, returned_len;
static size_t answer_len;
static struct {
    enum outcome outcome;
    int alert;
    unsigned barren, updates;
    uint8_t message[5];
    size_t message_len;
    bool hung_up;
} model;
static struct {
    enum status last;
    int alert;
    unsigned updates;
} seen;

static unsigned take(struct script *script)
{
    if (script->len == 0)
        return 0;
    script->len--;
    return *script->bytes++;
}

static size_t take_size(struct script *script, size_t limit)
{
    size_t high = take(script);
    return (high << 8 | take(script)) % (limit + 1);
}

/* ---- the client's side: sealing ---- */

static const EVP_CIPHER *cipher_of(unsigned suite)
{
    return suite == RECORD_AES_128_GCM   ? EVP_aes_128_gcm()
           : suite == RECORD_AES_256_GCM ? EVP_aes_256_gcm()
                                         : EVP_chacha20_poly1305();
}

/* Appends a record of `inner`: content, type and padding. */
static void seal(const uint8_t *inner, size_t len)
{
    uint8_t *out = (uint8_t *)wire + wire_len, nonce[12];
    size_t body = len + RECORD_TAG;
    int written_now = 0, last = 0;
    memcpy(nonce, sealing.iv, sizeof(nonce));
    for (int i = 0; i < 8; i++)
        nonce[11 - i] ^= (uint8_t)(sealing.sequence >> 8 * i);
    memcpy(out, (uint8_t[]){23, 3, 3, (uint8_t)(body >> 8), (uint8_t)body}, 5);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    assert(EVP_EncryptInit_ex(context, cipher_of(sealing.suite), NULL, sealing.key, nonce) == 1);
    assert(EVP_EncryptUpdate(context, NULL, &last, out, 5) == 1);
    assert(EVP_EncryptUpdate(context, out + 5, &written_now, inner, (int)len) == 1 && (size_t)written_now == len);
    assert(EVP_EncryptFinal_ex(context, out + 5 + len, &last) == 1 && last == 0);
    assert(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, (int)RECORD_TAG, out + 5 + len) == 1);
    EVP_CIPHER_CTX_free(context);
    sealing.sequence++;
    wire_len += 5 + body;
}

/* ---- the model ---- */

static void refuse(enum record_alert alert)
{
    model.outcome = REFUSED;
    model.alert = (int)alert;
}

static void expect_piece(const uint8_t *piece, size_t len)
{
    static const uint8_t update[] = {24, 0, 0, 1};
    if (len == 0 || model.message_len + len > 5) {
        refuse(ALERT_UNEXPECTED_MESSAGE);
        return;
    }
    memcpy(model.message + model.message_len, piece, len);
    model.message_len += len;
    for (size_t i = 0; i < model.message_len && i < 4; i++)
        if (model.message[i] != update[i]) {
            refuse(ALERT_UNEXPECTED_MESSAGE);
            return;
        }
    if (model.message_len < 5)
        return;
    model.message_len = 0;
    if (model.message[4] > 1)
        refuse(ALERT_ILLEGAL_PARAMETER);
    else
        assert(record_keys_update(&sealing, &engine));
    if (model.outcome == OPEN)
        model.updates += model.message[4];
}

static void expect_alert(const uint8_t *alert, size_t len)
{
    if (len != 2)
        refuse(len == 0 ? ALERT_UNEXPECTED_MESSAGE : ALERT_DECODE_ERROR);
    else if (alert[1] == ALERT_CLOSE_NOTIFY)
        model.outcome = ENDED;
    else if (alert[1] != ALERT_USER_CANCELED)
        model.outcome = ABORTED;
}

static void expect_record(unsigned type, const uint8_t *content, size_t len)
{
    if (model.outcome != OPEN)
        return;
    if (len > RECORD_BYTES) {
        refuse(ALERT_RECORD_OVERFLOW);
        return;
    }
    model.barren = type == RECORD_DATA && len != 0 ? 0 : model.barren + 1;
    if (model.barren > BARREN || (type != RECORD_HANDSHAKE && model.message_len != 0)) {
        refuse(ALERT_UNEXPECTED_MESSAGE);
    } else if (type == RECORD_DATA) {
        assert(expected_len + len <= sizeof(expected));
        memcpy(expected + expected_len, content, len);
        expected_len += len;
    } else if (type == RECORD_HANDSHAKE) {
        expect_piece(content, len);
    } else if (type == RECORD_ALERT) {
        expect_alert(content, len);
    } else {
        refuse(ALERT_UNEXPECTED_MESSAGE);
    }
}

/* ---- the server's side ---- */

static void on_event(struct sock *sock, unsigned events)
{
}

static void open_connection(unsigned suite)
{
    uint8_t secret[RECORD_SECRET_MAX] = {1}, other[RECORD_SECRET_MAX] = {2};
    int fds[2];
    assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    client = fds[1];
    sock_init(&server, &worker.loop, on_event);
    assert(sock_take(&server, fds[0], false));
    struct tls_conn *conn = calloc(1, sizeof(*conn));
    struct tls_own *own = calloc(1, sizeof(*own));
    *conn = (struct tls_conn){.own = own, .sock = &server, .worker = &worker, .server = true, .established = true,
                              .flush = {.run = conn_flush_later}};
    server.layer = &conn_layer;
    server.layer_state = conn;
    struct record_engine *theirs = &conn_worker(&worker)->engine;
    assert(record_keys_init(&own->read, theirs, (enum record_suite)suite, secret, 0));
    assert(record_keys_init(&own->write, theirs, (enum record_suite)suite, other, 0));
    assert(record_keys_init(&sealing, &engine, (enum record_suite)suite, secret, 0));
    assert(record_keys_init(&opening, &engine, (enum record_suite)suite, other, 0));
}

/* ---- what goes back ---- */

static void look_at_answer(enum record_type type, struct str content)
{
    if (type == RECORD_DATA) {
        assert(returned_len + content.len <= written_len);
        assert(memcmp(written + returned_len, content.data, content.len) == 0);
        returned_len += content.len;
    } else if (type == RECORD_HANDSHAKE) {
        assert(content.len == 5 && memcmp(content.data, "\x18\0\0\1\0", 5) == 0);
        assert(record_keys_update(&opening, &engine));
        seen.updates++;
    } else {
        assert(type == RECORD_ALERT && content.len == 2 && seen.alert == NO_ALERT);
        seen.alert = (uint8_t)content.data[1];
    }
}

static void hear_answers(void)
{
    ssize_t got;
    while ((got = recv(client, answer + answer_len, sizeof(answer) - answer_len, 0)) > 0) {
        size_t at = 0, len;
        answer_len += (size_t)got;
        while ((len = record_length(str_of(answer + at, answer_len - at))) != 0 && len <= answer_len - at) {
            static char out[RECORD_WIRE_MAX];
            enum record_type type;
            enum record_alert alert;
            size_t plain = 0;
            assert(record_open(&engine, &opening, str_of(answer + at, len), out, &type, &plain, &alert));
            look_at_answer(type, str_of(out, plain));
            at += len;
        }
        memmove(answer, answer + at, answer_len - at);
        answer_len -= at;
    }
}

static void turn(void)
{
    loop_turn(&worker.loop, 0);
    hear_answers();
}

static bool has_failed(void)
{
    return seen.last == STATUS_IO_ERROR;
}

static void write_back(size_t len)
{
    if (written_len + len > sizeof(written) || len == 0)
        return;
    for (size_t i = 0; i < len; i++)
        written[written_len + i] = (char)(i * 5 + written_len);
    size_t from = written_len, sent = 0;
    written_len += len;
    while (sent < len) {
        size_t now = 0, left = len - sent, part = left / 3;
        char *bytes = written + from + sent;
        struct iovec vector[2] = {{bytes, part}, {bytes + part, left - part}};
        enum status status = sock_write(&server, vector, 2, false, &now);
        if (status == STATUS_IO_ERROR) {
            assert(model.outcome > ENDED); /* which a read may have found already, and tell next */
            written_len = from + sent;
            return;
        }
        assert(!has_failed() && (status == STATUS_AGAIN || (now > 0 && now <= left)));
        sent += status == STATUS_OK ? now : 0;
        turn();
    }
}

/* ---- reading ---- */

static void read_once(size_t room)
{
    static char copy[70000];
    size_t got = 0;
    char *exact = room <= 4096 ? malloc(room) : copy; /* so that a byte too many is seen */
    enum status status = sock_read(&server, exact, room, &got);
    if (seen.last == STATUS_IO_ERROR || seen.last == STATUS_END)
        assert(status == seen.last);
    if (status == STATUS_OK) {
        assert(got > 0 && got <= room && got <= expected_len - read_len);
        assert(memcmp(exact, expected + read_len, got) == 0);
        read_len += got;
    } else {
        assert(status == STATUS_AGAIN || status == STATUS_END || status == STATUS_IO_ERROR);
        assert(status == STATUS_AGAIN || read_len == expected_len || model.hung_up);
        assert(status != STATUS_END || model.outcome == ENDED || model.hung_up);
        assert(status != STATUS_IO_ERROR || model.outcome > ENDED);
    }
    seen.last = status;
    if (exact != copy)
        free(exact);
}

static bool is_over(void)
{
    return seen.last == STATUS_END || seen.last == STATUS_IO_ERROR;
}

static void deliver(size_t piece, size_t room)
{
    if (piece > wire_len - wire_at)
        piece = wire_len - wire_at;
    ssize_t sent = piece != 0 && !model.hung_up ? send(client, wire + wire_at, piece, MSG_NOSIGNAL) : 0;
    wire_at += sent > 0 ? (size_t)sent : 0;
    turn();
    if (sock_may_read(&server))
        read_once(room);
    turn();
}

/* All that is left, into more and more room. */
static void deliver_rest(size_t room)
{
    while (!is_over() && ((wire_at < wire_len && !model.hung_up) || sock_may_read(&server))) {
        deliver(wire_len - wire_at, room);
        room = room < 30000 ? room + room / 4 + 1 : room;
    }
    if (wire_at == wire_len || is_over())
        wire_at = wire_len = 0;
}

/* ---- the script ---- */

static void add_record(unsigned type, const uint8_t *content, size_t len, size_t padding)
{
    static uint8_t inner[INNER_MAX + 1];
    if (len + 1 > INNER_MAX)
        len = INNER_MAX - 1;
    if (padding > INNER_MAX - 1 - len)
        padding = INNER_MAX - 1 - len;
    if (len != 0)
        memcpy(inner, content, len);
    inner[len] = (uint8_t)type;
    memset(inner + len + 1, 0, padding);
    seal(inner, len + 1 + padding);
    expect_record(type, inner, len);
}

static void add_data(size_t len, size_t padding)
{
    static uint8_t content[INNER_MAX + 1];
    for (size_t i = 0; i < len; i++)
        content[i] = (uint8_t)(i * 7 + expected_len);
    if (expected_len + len <= sizeof(expected) / 2)
        add_record(RECORD_DATA, content, len, padding);
}

/* As many bytes of the script as its next one says. */
static struct script take_bytes(struct script *script, size_t limit)
{
    size_t len = take(script) % (limit + 1);
    struct script taken = {script->bytes, len < script->len ? len : script->len};
    script->bytes += taken.len;
    script->len -= taken.len;
    return taken;
}

static void spoil(void)
{
    if (model.outcome == OPEN)
        model.outcome = SPOILT;
}

static void corrupt(struct script *script)
{
    size_t at = wire_len;
    static const uint8_t content[300];
    enum outcome before = model.outcome;
    size_t len = expected_len;
    add_record(RECORD_DATA, content, take(script), take(script));
    wire[at + take_size(script, wire_len - at - 1)] ^= (char)(1 << take(script) % 8);
    expected_len = len;
    if (before == OPEN)
        model.outcome = SPOILT;
}

static void add_zeros(size_t len)
{
    static const uint8_t zeros[INNER_MAX];
    seal(zeros, len != 0 ? len : 1);
    if (model.outcome == OPEN)
        refuse(ALERT_UNEXPECTED_MESSAGE);
}

static void add_raw(struct script raw)
{
    if (raw.len == 0)
        return;
    memcpy(wire + wire_len, raw.bytes, raw.len);
    wire_len += raw.len;
    spoil();
}

static void add(enum operation operation, struct script *script)
{
    struct script bytes;
    switch ((int)operation) {
    case PADDED:
        add_data(take_size(script, INNER_MAX), take_size(script, INNER_MAX));
        break;
    case UPDATE:
        add_record(RECORD_HANDSHAKE, (uint8_t[]){24, 0, 0, 1, (uint8_t)(take(script) & 1)}, 5, 0);
        break;
    case PIECE:
    case ALERT:
        bytes = take_bytes(script, 12);
        add_record(operation == PIECE ? RECORD_HANDSHAKE : RECORD_ALERT, bytes.bytes, bytes.len, 0);
        break;
    case TYPED:
        bytes = take_bytes(script, 40);
        add_record(take(script) | 1, bytes.bytes, bytes.len, take(script));
        break;
    case ZEROS:
        add_zeros(take_size(script, INNER_MAX));
        break;
    case CORRUPT:
        corrupt(script);
        break;
    case RAW:
        add_raw(take_bytes(script, 64));
        break;
    default:
        add_data(take(script), 0);
    }
}

static void play(struct script *script)
{
    while (script->len != 0 && !is_over()) {
        enum operation operation = (enum operation)(take(script) % OPERATIONS);
        if (operation == WRITE) {
            write_back(take_size(script, 40000));
        } else if (operation == DELIVER) {
            size_t piece = take_size(script, 40000);
            deliver(piece, take_size(script, 40000) + 1);
        } else if (operation == HANG_UP) {
            model.hung_up = true;
            shutdown(client, SHUT_WR);
            turn();
        } else {
            if (wire_len > sizeof(wire) - RECORD_WIRE_MAX)
                deliver_rest(30000);
            if (!is_over() && wire_len <= sizeof(wire) - RECORD_WIRE_MAX)
                add(operation, script);
        }
    }
}

/* Everything was delivered and read. */
static void judge(void)
{
    const struct tls_conn *conn = server.layer_state;
    static const enum status ends[] = {[OPEN] = STATUS_AGAIN, [ENDED] = STATUS_END, [ABORTED] = STATUS_IO_ERROR,
                                       [REFUSED] = STATUS_IO_ERROR};
    assert(seen.updates <= model.updates);
    if (model.hung_up)
        return;
    assert(read_len == expected_len && seen.updates == model.updates);
    if (model.outcome != SPOILT) {
        assert(is_over() ? seen.last == ends[model.outcome] : model.outcome == OPEN);
        assert(seen.alert == model.alert);
        assert(conn->input == NULL && conn->pending == NULL && chunk_pool_in_use(&worker.chunks) == 0);
    }
    if (is_over())
        read_once(10);
    assert(returned_len == written_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script = {data, size};
    if (worker.loop.epoll_fd == 0)
        assert(worker_init(&worker, 0) && record_engine_init(&engine));
    memset(&model, 0, sizeof(model));
    model.alert = NO_ALERT;
    seen.last = STATUS_AGAIN;
    seen.alert = NO_ALERT;
    seen.updates = 0;
    wire_at = wire_len = expected_len = read_len = written_len = returned_len = answer_len = 0;
    unsigned first = take(&script);
    open_connection(first % RECORD_SUITES);
    play(&script);
    deliver_rest(1 + (first / RECORD_SUITES) * (first / RECORD_SUITES) * 5);
    judge();
    bool failed = has_failed();
    sock_close(&server);
    hear_answers();
    if (model.outcome == OPEN && !model.hung_up)
        assert(!failed && seen.alert == ALERT_CLOSE_NOTIFY);
    close(client);
    loop_turn(&worker.loop, 0);
    assert(chunk_pool_in_use(&worker.chunks) == 0);
    return 0;
}
