/* Fetches from a real server: a listening socket on a thread that answers by path. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/time.h"
#include "upstream/fetch.h"

struct peer {
    int listener;
    uint16_t port;
    pthread_t thread;
    _Atomic unsigned connections, requests;
    _Atomic size_t body_bytes;          /* of the last request */
};

static size_t announced(const char *head)
{
    const char *field = strcasestr(head, "\r\ncontent-length:");
    return field != NULL ? strtoul(field + 17, NULL, 10) : 0;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* False: the connection is over. */
static bool answer(int fd, const char *target)
{
    static char large[20000];
    if (strcmp(target, "/hang") == 0)
        return recv(fd, large, 1, 0) > 0;
    if (strcmp(target, "/nothing") == 0)
        return false;
    if (strcmp(target, "/half") == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        return false;
    }
    if (strcmp(target, "/chunked") == 0) {
        say(fd, "HTTP/1.1 103 Early\r\nLink: <a>\r\n\r\nHTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n");
        for (unsigned i = 0; i < 3000; i++)
            say(fd, "3\r\nabc\r\n");
        say(fd, "0\r\n\r\n");
        return true;
    }
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK");
    return strcmp(target, "/last") != 0;
}

static bool serve_one(struct peer *peer, int fd)
{
    char head[2048], target[256] = "";
    size_t length = 0;
    char *end = NULL;
    while (end == NULL && length + 1 < sizeof(head)) {
        if (recv(fd, head + length, 1, 0) <= 0)
            return false;
        head[++length] = '\0';
        end = strstr(head, "\r\n\r\n");
    }
    sscanf(head, "%*s %255s", target);
    atomic_fetch_add(&peer->requests, 1);
    size_t want = announced(head), got_bytes = 0;
    while (got_bytes < want) {
        char piece[4096];
        ssize_t got = recv(fd, piece, sizeof(piece), 0);
        if (got <= 0)
            return false;
        got_bytes += (size_t)got;
    }
    atomic_store(&peer->body_bytes, got_bytes);
    return answer(fd, target);
}

static void *serve(void *argument)
{
    struct peer *peer = argument;
    for (;;) {
        int fd = accept(peer->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        atomic_fetch_add(&peer->connections, 1);
        while (serve_one(peer, fd))
            ;
        close(fd);
    }
}

/* ---- one worker that fetches ---- */

struct site {
    struct peer peer;
    struct worker worker;
    struct server *server;
    struct transport transport;
    bool done;
    enum status status;
    int code;
    size_t length;
    char body[16384];
};

static void open_site(struct site *site)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    memset(site, 0, sizeof(*site));
    site->peer.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(site->peer.listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(site->peer.listener, 16), 0);
    assert_int_equal(getsockname(site->peer.listener, (struct sockaddr *)&address, &size), 0);
    site->peer.port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&site->peer.thread, NULL, serve, &site->peer), 0);
    assert_true(worker_init(&site->worker, 0));
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", site->peer.port);
    site->server = server_get(S("fetch@test"), str_from(url));
    site->transport = (struct transport){.dial_timeout = 5 * TIME_S, .max_idle = 8, .max_head_bytes = 65536};
    loop_turn(&site->worker.loop, 0);
}

static void close_site(struct site *site)
{
    upstream_forget_all(&site->worker);
    loop_turn(&site->worker.loop, 0);
    server_unref(site->server);
    shutdown(site->peer.listener, SHUT_RDWR);
    pthread_join(site->peer.thread, NULL);
    close(site->peer.listener);
    assert_int_equal(chunk_pool_in_use(&site->worker.chunks), 0);
    worker_release(&site->worker);
}

static void on_done(struct fetch *fetch, enum status status)
{
    struct site *site = fetch->owner;
    assert_false(site->done);
    site->done = true;
    site->status = status;
    site->code = fetch->response.status;
    site->length = fetch->response_body.len;
    if (site->length != 0 && site->length <= sizeof(site->body))
        memcpy(site->body, fetch->response_body.data, site->length);
}

static struct fetch *prepare(struct site *site, const char *method, const char *path)
{
    struct fetch *fetch = fetch_new(&site->worker);
    assert_non_null(fetch);
    fetch->server = server_ref(site->server);
    fetch->transport = &site->transport;
    fetch->request.method = method_identify(str_from(method));
    fetch->request.method_name = str_from(method);
    fetch->request.authority = site->server->authority;
    fetch->request.path = str_from(path);
    fetch->max_body = 10000;
    fetch->on_done = on_done;
    fetch->owner = site;
    site->done = false;
    return fetch;
}

static void run(struct site *site, struct fetch *fetch)
{
    fetch_start(fetch);
    assert_false(site->done);
    for (unsigned turns = 0; !site->done && turns < 5000; turns++)
        loop_turn(&site->worker.loop, 2 * TIME_MS);
    assert_true(site->done);
    loop_turn(&site->worker.loop, 0);
}

static enum status get(struct site *site, const char *path)
{
    run(site, prepare(site, "GET", path));
    return site->status;
}

TEST(fetch_gives_the_whole_response_and_keeps_the_connection)
{
    struct site site;
    open_site(&site);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(get(&site, "/"), STATUS_OK);
        assert_int_equal(site.code, 200);
        assert_memory_equal(site.body, "OK", 2);
    }
    assert_int_equal(site.peer.connections, 1);
    assert_int_equal(server_active(site.server), 0);
    close_site(&site);
}

TEST(fetch_joins_chunks_and_passes_interim_responses_over)
{
    struct site site;
    open_site(&site);
    assert_int_equal(get(&site, "/chunked"), STATUS_OK);
    assert_int_equal(site.code, 201);
    assert_int_equal(site.length, 9000);
    for (size_t i = 0; i < 9000; i++)
        assert_int_equal(site.body[i], "abc"[i % 3]);
    close_site(&site);
}

TEST(fetch_of_too_large_a_body_fails_unless_it_is_thrown_away)
{
    struct site site;
    open_site(&site);
    struct fetch *fetch = prepare(&site, "GET", "/chunked");
    fetch->max_body = 8999;
    run(&site, fetch);
    assert_int_equal(site.status, STATUS_RESPONSE_TOO_LARGE);
    fetch = prepare(&site, "GET", "/chunked");
    fetch->max_body = 0;
    fetch->discard_body = true;
    run(&site, fetch);
    assert_int_equal(site.status, STATUS_OK);
    assert_int_equal(site.length, 0);
    close_site(&site);
}

TEST(fetch_sends_a_body)
{
    struct site site;
    open_site(&site);
    char *body = memory_zalloc(300000);
    struct fetch *fetch = prepare(&site, "POST", "/");
    assert_true(chunkq_add_copy(&fetch->body, &site.worker.chunks, str_of(body, 300000)));
    fetch->request.has_body = true;
    fetch->request.body_length = 300000;
    run(&site, fetch);
    assert_int_equal(site.status, STATUS_OK);
    assert_int_equal(site.peer.body_bytes, 300000);
    free(body);
    close_site(&site);
}

TEST(fetch_replaces_a_connection_that_went_stale)
{
    struct site site;
    open_site(&site);
    assert_int_equal(get(&site, "/last"), STATUS_OK);
    /* The close may or may not be known when the next one begins: either way it is answered. */
    assert_int_equal(get(&site, "/"), STATUS_OK);
    assert_int_equal(site.peer.connections, 2);
    assert_int_equal(get(&site, "/nothing"), STATUS_UPSTREAM_CLOSED);
    assert_int_equal(site.peer.connections, 3);
    close_site(&site);
}

TEST(fetch_says_why_nothing_came)
{
    struct site site;
    open_site(&site);
    assert_int_equal(get(&site, "/nothing"), STATUS_UPSTREAM_CLOSED);
    assert_int_equal(get(&site, "/half"), STATUS_UPSTREAM_TRUNCATED);
    struct fetch *fetch = prepare(&site, "GET", "/hang");
    fetch->timeout = 20 * TIME_MS;
    run(&site, fetch);
    assert_int_equal(site.status, STATUS_UPSTREAM_TIMEOUT);
    close_site(&site);
}

TEST(fetch_that_is_cancelled_says_nothing)
{
    struct site site;
    open_site(&site);
    struct fetch *fetch = prepare(&site, "GET", "/hang");
    fetch_start(fetch);
    loop_turn(&site.worker.loop, 2 * TIME_MS);
    fetch_cancel(fetch);
    loop_turn(&site.worker.loop, 2 * TIME_MS);
    assert_false(site.done);
    assert_int_equal(server_active(site.server), 0);
    close_site(&site);
}
