/* A server's bytes at a connection with three requests. The first byte says how the callers behave: whether they read what comes
 * and whether they let go before the end; the rest is what the server sends, in pieces.
 * Whatever it is, every caller hears of a response or of a failure, nothing is told twice, and nothing is left behind. */
#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/h2/client.h"

#define CALLERS 3
#define PIECE 97

struct caller {
    struct upstream_stream stream;
    struct arena arena;
    struct chunkq body;
    bool bound, reads, head, failed;
    enum status end;
};

static struct worker worker;
static bool closed;

static void on_change(struct h2_client *connection)
{
    assert(!closed);
}

static void on_close(struct h2_client *connection)
{
    assert(!closed);
    closed = true;
}

static const struct h2_client_owner owner = {.on_change = on_change, .on_close = on_close};

static void read_body(struct caller *caller)
{
    struct body_source *source = &caller->stream.source;
    while ((caller->end = source->ops->read(source, &caller->body, 4096)) == STATUS_OK)
        chunkq_clear(&caller->body);
}

static void on_facts(struct upstream_stream *stream, unsigned facts)
{
    struct caller *caller = stream->owner;
    assert(caller->bound && facts != 0);
    if ((facts & FACT_INFORM) != 0)
        assert(stream->response.status >= 100 && stream->response.status < 200);
    if ((facts & FACT_HEAD) != 0) {
        assert(!caller->head && (stream->response.status >= 200 || stream->response.status == 101));
        caller->head = true;
    }
    if ((facts & FACT_CLOSED) != 0) {
        assert(!caller->failed && stream->failure != STATUS_OK);
        caller->failed = true;
    }
    if (caller->head && caller->reads)
        read_body(caller);
}

static void ask(struct h2_client *client, struct caller *caller, unsigned index, bool reads)
{
    struct request request = {.method = METHOD_GET, .method_name = STR("GET"), .authority = STR("a"), .path = STR("/")};
    if (index == 1) {
        request.method = METHOD_POST;
        request.method_name = S("POST");
        request.has_body = true;
        request.body_length = BODY_UNKNOWN;
    }
    *caller = (struct caller){.bound = true, .reads = reads};
    arena_init(&caller->arena, 1 << 20);
    chunkq_init(&caller->body);
    caller->stream.on_facts = on_facts;
    caller->stream.owner = caller;
    caller->stream.arena = &caller->arena;
    fields_init(&request.fields, &caller->arena, 1);
    h2_client_open(client, &caller->stream);
    enum status status = caller->stream.ops->send_head(&caller->stream, &request);
    assert(status == STATUS_OK);
    if (index == 1) {
        struct chunkq body;
        chunkq_init(&body);
        chunkq_add_static(&body, S("some words"));
        caller->stream.sink.ops->write(&caller->stream.sink, &body, true, NULL);
        chunkq_release(&body);
    }
    caller->stream.sink.ops->flush(&caller->stream.sink);
}

static void let_go(struct caller *caller, bool reusable)
{
    if (!caller->bound)
        return;
    caller->bound = false;
    caller->stream.ops->release(&caller->stream, reusable);
    chunkq_release(&caller->body);
    arena_release(&caller->arena);
}

static void ignore(struct sock *sock, unsigned events)
{
}

static void drain(int fd)
{
    char bytes[65536];
    while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct h2_client_settings settings = {
        .max_head_bytes = 4096, .max_fields = 50, .stream_window = 65535, .connection_window = 200000};
    struct caller callers[CALLERS];
    struct sock from;
    int pair[2];
    if (size == 0)
        return 0;
    if (worker.loop.epoll_fd == 0 && !worker_init(&worker, 0))
        abort();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        abort();
    uint8_t manner = data[0];
    closed = false;
    sock_init(&from, &worker.loop, ignore);
    assert(sock_take(&from, pair[0], false));
    struct h2_client *client = h2_client_adopt(&worker, &from, &settings, &owner, NULL);
    assert(client != NULL);
    for (unsigned i = 0; i < CALLERS; i++)
        ask(client, &callers[i], i, (manner >> i & 1) != 0);
    loop_turn(&worker.loop, 0);
    for (size_t at = 1; at < size && !closed; at += PIECE) {
        size_t length = size - at < PIECE ? size - at : PIECE;
        if (send(pair[1], data + at, length, MSG_NOSIGNAL) < 0)
            break;
        loop_turn(&worker.loop, 0);
        drain(pair[1]);
        if ((manner & 8) != 0 && at > PIECE)
            let_go(&callers[2], (manner & 16) != 0);
    }
    close(pair[1]);
    loop_turn(&worker.loop, 0);
    loop_turn(&worker.loop, 0);
    assert(closed);
    for (unsigned i = 0; i < CALLERS; i++) {
        if (!callers[i].bound)
            continue;
        read_body(&callers[i]);
        assert(callers[i].end == STATUS_END || callers[i].failed);
        let_go(&callers[i], true);
    }
    loop_turn(&worker.loop, 0);
    assert(chunk_pool_in_use(&worker.chunks) == 0);
    return 0;
}
