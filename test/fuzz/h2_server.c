/* Any bytes from an HTTP/2 client: the real connection over a pair of sockets, with a product that answers at once, later, never,
 * or in the middle of things. The input is a script: a byte that says what happens, then what it happens with.
 *
 *     0x00-0xbf  so many bytes + 1 of the input are sent          0xe0  the product answers what waits
 *     0xc0       the preface and an empty SETTINGS                0xe1  it reads what has come of bodies
 *     0xc1 f n   a HEADERS frame for stream 2n+1, flags f,        0xe2  it gives up one request
 *                its block the next bytes (their number first)    0xe3  it writes more of a long response
 *     0xc2 f n   the same for DATA                                0xe4  the connection is drained
 *     others: a turn of the loop */
#include <assert.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/h2/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VISITS 64

struct visit {
    struct stream stream;
    struct arena arena;
    bool head, over, begun;
    char memory[8192];
};

static struct visit visits[VISITS];
static unsigned visit_count;

static void end(struct visit *visit, bool broken)
{
    visit->over = true;
    visit->stream.ops->finish(&visit->stream, broken);
    arena_release(&visit->arena);
    memset(visit->memory, 0xdd, sizeof(visit->memory));
}

static struct stream *open_visit(void *context, struct client *client)
{
    if (visit_count == VISITS)
        return NULL;
    struct visit *visit = &visits[visit_count++];
    memset(&visit->stream, 0, sizeof(visit->stream));
    visit->head = visit->over = visit->begun = false;
    arena_init_with(&visit->arena, visit->memory, sizeof(visit->memory), 1 << 20);
    visit->stream.arena = &visit->arena;
    return &visit->stream;
}

static void check_head(const struct request *request)
{
    assert(request->version == HTTP_2 && request->path.len != 0 && request->method_name.len != 0);
    FIELDS_FOREACH(&request->fields, field) {
        assert(field->id != FIELD_TRANSFER_ENCODING);
        assert(memchr(field->name.data, ' ', field->name.len) == NULL);
        for (size_t i = 0; i < field->value.len; i++)
            assert(field->value.data[i] != '\r' && field->value.data[i] != '\n' && field->value.data[i] != '\0');
    }
}

static void on_facts(struct stream *stream, unsigned facts)
{
    struct visit *visit = (struct visit *)(void *)stream;
    assert(!visit->over);
    if ((facts & FACT_HEAD) != 0) {
        visit->head = true;
        if (stream->failure == STATUS_OK)
            check_head(&stream->request);
    }
    if ((facts & FACT_CLOSED) != 0)
        end(visit, true);
}

static struct visit *next_visit(bool begun)
{
    for (unsigned i = 0; i < visit_count; i++)
        if (visits[i].head && !visits[i].over && visits[i].begun == begun)
            return &visits[i];
    return NULL;
}

static bool begin(struct visit *visit, int64_t length)
{
    struct response response = {.status = visit->stream.request.upgrade.len != 0 ? 101 : 200, .body_length = length};
    fields_init(&response.fields, &visit->arena, 2);
    fields_add(&response.fields, S("X-Name"), S("value"));
    response.lines = S("X-Request-Id: 1\r\n");
    visit->begun = true;
    if (visit->stream.ops->send_head(&visit->stream, &response) != STATUS_OK) {
        end(visit, true);
        return false;
    }
    if (response.status == 101)
        visit->stream.ops->upgrade(&visit->stream);
    return true;
}

static void write_some(struct visit *visit, struct str bytes, bool last)
{
    struct body_sink *sink = &visit->stream.sink;
    struct chunkq queue;
    chunkq_init(&queue);
    chunkq_add_static(&queue, bytes);
    enum status status = sink->ops->write(sink, &queue, last, NULL);
    if (status == STATUS_OK || status == STATUS_AGAIN)
        status = sink->ops->flush(sink);
    chunkq_release(&queue);
    if (status != STATUS_OK && status != STATUS_AGAIN)
        end(visit, true);
    else if (status == STATUS_OK && last)
        end(visit, false);
}

static void read_bodies(void)
{
    for (unsigned i = 0; i < visit_count; i++) {
        struct chunkq queue;
        chunkq_init(&queue);
        while (visits[i].head && !visits[i].over &&
               visits[i].stream.source.ops->read(&visits[i].stream.source, &queue, 5000) == STATUS_OK)
            chunkq_clear(&queue);
        chunkq_release(&queue);
    }
}

static void react(unsigned what, struct list *connections)
{
    static const char large[40000];
    struct visit *fresh = next_visit(false), *begun = next_visit(true);
    if (what == 0xe0 && fresh != NULL && begin(fresh, 5))
        write_some(fresh, S("hello"), true);
    else if (what == 0xe1)
        read_bodies();
    else if (what == 0xe2 && (fresh != NULL || begun != NULL))
        end(fresh != NULL ? fresh : begun, true);
    else if (what == 0xe3 && begun != NULL)
        write_some(begun, str_of(large, sizeof(large)), false);
    else if (what == 0xe3 && fresh != NULL && begin(fresh, BODY_UNKNOWN))
        write_some(fresh, str_of(large, sizeof(large)), false);
    else if (what == 0xe4)
        connections_drain(connections);
}

/* ---- the client ---- */

static void give(int fd, const void *bytes, size_t len)
{
    if (send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return;
}

static void take_all(int fd)
{
    static char buffer[65536];
    while (recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
        ;
}

struct script {
    const uint8_t *at, *end;
};

static unsigned next_byte(struct script *script)
{
    return script->at < script->end ? *script->at++ : 0;
}

static void give_bytes(struct script *script, int fd, size_t len)
{
    size_t there = (size_t)(script->end - script->at);
    len = len < there ? len : there;
    give(fd, script->at, len);
    script->at += len;
}

static void give_frame(struct script *script, int fd, uint8_t type)
{
    uint8_t flags = (uint8_t)next_byte(script), stream = (uint8_t)next_byte(script), len = (uint8_t)next_byte(script);
    uint8_t head[9] = {0, 0, len, type, flags, 0, 0, (uint8_t)(stream >> 7), (uint8_t)(stream << 1 | 1)};
    give(fd, head, sizeof(head));
    give_bytes(script, fd, len);
}

static void play(struct script *script, int fd, struct worker *worker, struct list *connections)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
    while (script->at < script->end) {
        unsigned what = next_byte(script);
        if (what < 0xc0)
            give_bytes(script, fd, what + 1);
        else if (what == 0xc0)
            give(fd, preface, sizeof(preface));
        else if (what == 0xc1 || what == 0xc2)
            give_frame(script, fd, what == 0xc1 ? 1 : 0);
        else
            react(what, connections);
        if (what >= 0xc0) {
            loop_turn(&worker->loop, 0);
            take_all(fd);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct worker worker;
    struct list connections = LIST_INIT(connections);
    struct stream_handler handler = {.open = open_visit, .on_facts = on_facts};
    struct server_settings settings = {
        .limits = {.line_bytes = 2000, .head_bytes = 8000, .field_count = 50},
        .h2 = {.max_streams = 20, .max_running = 30, .reset_burst = 20, .reset_rate = 1, .control_burst = 50, .control_rate = 1,
               .stream_window = 65535, .connection_window = 100000},
        .handler = &handler};
    struct client client = {0};
    struct sock sock;
    int pair[2];
    visit_count = 0;
    if (!worker_init(&worker, 0) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return 0;
    sock_init(&sock, &worker.loop, NULL);
    if (sock_take(&sock, pair[1], false) &&
        h2_server_adopt(&worker, &sock, NULL, 0, &client, &settings, &connections)) {
        struct script script = {.at = data, .end = data + size};
        play(&script, pair[0], &worker, &connections);
    }
    close(pair[0]);
    loop_turn(&worker.loop, 0);
    connections_close(&connections, STATUS_STOPPING);
    loop_turn(&worker.loop, 0);
    for (unsigned i = 0; i < visit_count; i++)
        assert(visits[i].over);
    assert(chunk_pool_in_use(&worker.chunks) == 0);
    worker_release(&worker);
    return 0;
}
