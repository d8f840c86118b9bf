/* Checks against a real server: a listening socket on a thread that answers by path. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/time.h"
#include "net/worker.h"
#include "upstream/health.h"
#include "upstream/probe.h"

static struct str authorities[] = {STR("10.0.0.1:80"), STR("app.example")};

static const char *redirect(const char *location, const char *from)
{
    static struct text out;
    text_release(&out);
    text_init(&out, 1024);
    return probe_redirect_path(str_from(location), str_from(from), S("http"), authorities, 2, &out) ? text_c(&out) : NULL;
}

TEST(probe_follows_redirections_within_the_server)
{
    assert_string_equal(redirect("/other?x=1", "/health"), "/other?x=1");
    assert_string_equal(redirect("ready", "/deep/health?x"), "/deep/ready");
    assert_string_equal(redirect("?again", "/deep/health?x"), "/deep/health?again");
    assert_string_equal(redirect("http://10.0.0.1:80/abs#part", "/health"), "/abs");
    assert_string_equal(redirect("http://App.Example", "/health"), "/");
    assert_string_equal(redirect("http://app.example?q", "/health"), "/?q");
}

TEST(probe_does_not_follow_redirections_elsewhere)
{
    static const char *const locations[] = {"http://other/", "https://10.0.0.1:80/", "//other/x", "mailto:a@b", ""};
    for (size_t i = 0; i < sizeof(locations) / sizeof(locations[0]); i++)
        assert_null(redirect(locations[i], "/health"));
    redirect("/", "/");
}

TEST(health_check_accepts_200_to_399_or_the_one_status)
{
    struct health_check any = {0}, one = {.status = 204};
    assert_true(health_check_accepts(&any, 200) && health_check_accepts(&any, 399));
    assert_false(health_check_accepts(&any, 199) || health_check_accepts(&any, 400));
    assert_true(health_check_accepts(&one, 204));
    assert_false(health_check_accepts(&one, 200));
}

TEST(health_pause_is_the_interval_give_or_take_a_tenth)
{
    struct health_check check = {.interval = 10 * TIME_S, .unhealthy_interval = TIME_S};
    int64_t least = INT64_MAX, most = 0;
    for (unsigned i = 0; i < 1000; i++) {
        int64_t pause = health_pause(&check, true);
        least = pause < least ? pause : least;
        most = pause > most ? pause : most;
    }
    assert_in_range(least, 9 * TIME_S, 10 * TIME_S);
    assert_in_range(most, 10 * TIME_S, 11 * TIME_S);
    assert_in_range(health_pause(&check, false), 900 * TIME_MS, 1100 * TIME_MS);
    check.unhealthy_interval = 0;
    assert_in_range(health_pause(&check, false), 9 * TIME_S, 11 * TIME_S);
}

TEST(health_check_copy_is_equal_until_anything_differs)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct strmap_item header = {.name = S("X-A"), .value = S("1")};
    struct health_check check = {.path = S("/health"), .method = S("GET"), .interval = TIME_S, .timeout = TIME_S,
                                 .headers = {.items = &header, .count = 1}};
    struct health_check copy = health_check_copy(&check, &arena);
    assert_ptr_not_equal(copy.path.data, check.path.data);
    assert_true(health_check_equal(&check, &copy));
    copy.interval++;
    assert_false(health_check_equal(&check, &copy));
    copy.interval--;
    copy.headers.items[0].value = S("2");
    assert_false(health_check_equal(&check, &copy));
    arena_release(&arena);
}

/* A server that counts requests and answers "/500" with 500, "/to?x" with a redirection to x, and others with 200. */
struct peer {
    int listener;
    uint16_t port;
    pthread_t thread;
    _Atomic unsigned requests;
    _Atomic int forced_status;       /* answered to all while set */
    char last_head[2048];            /* written before `requests` grows */
};

static bool read_head(int fd, char *head, size_t size)
{
    size_t length = 0;
    while (length + 1 < size) {
        ssize_t got = read(fd, head + length, size - 1 - length);
        if (got <= 0)
            return false;
        length += (size_t)got;
        head[length] = '\0';
        if (strstr(head, "\r\n\r\n") != NULL)
            return true;
    }
    return false;
}

static void answer(struct peer *peer, int fd, const char *head)
{
    char response[512], target[256] = "";
    int forced = atomic_load(&peer->forced_status);
    sscanf(head, "%*s %255s", target);
    if (forced != 0)
        snprintf(response, sizeof(response), "HTTP/1.1 %d Forced\r\nContent-Length: 0\r\n\r\n", forced);
    else if (strncmp(target, "/to?", 4) == 0)
        snprintf(response, sizeof(response), "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", target + 4);
    else
        snprintf(response, sizeof(response), "HTTP/1.1 %s\r\nContent-Length: 2\r\n\r\nOK",
                 strcmp(target, "/500") == 0 ? "500 Broken" : "200 OK");
    assert_int_equal(write(fd, response, strlen(response)), strlen(response));
}

static void *serve(void *argument)
{
    struct peer *peer = argument;
    char head[2048];
    for (;;) {
        int fd = accept(peer->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        while (read_head(fd, head, sizeof(head))) {
            memcpy(peer->last_head, head, sizeof(head));
            atomic_fetch_add(&peer->requests, 1);
            answer(peer, fd, head);
        }
        close(fd);
    }
}

static void peer_start(struct peer *peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    memset(peer, 0, sizeof(*peer));
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(peer->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(peer->listener, 16), 0);
    assert_int_equal(getsockname(peer->listener, (struct sockaddr *)&address, &length), 0);
    peer->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&peer->thread, NULL, serve, peer), 0);
}

static void peer_stop(struct peer *peer)
{
    shutdown(peer->listener, SHUT_RDWR);
    pthread_join(peer->thread, NULL);
    close(peer->listener);
}

struct change {
    unsigned count;
    bool healthy;
    char why[128];
};
static struct change last_change;

static void on_change(struct server *server, bool healthy, const char *why)
{
    last_change.count++;
    last_change.healthy = healthy;
    snprintf(last_change.why, sizeof(last_change.why), "%s", why != NULL ? why : "");
}

/* A control thread, a peer and one server that is it. */
struct clinic {
    struct worker worker;
    struct peer peer;
    struct server *server;
    struct health_check check;
};

static const struct transport transport = {.name = STR("t"), .dial_timeout = 5 * TIME_S, .idle_timeout = 5 * TIME_S,
                                           .max_idle = 1, .max_head_bytes = 65536};

static void clinic_open(struct clinic *clinic, const char *path)
{
    char url[64];
    memset(&last_change, 0, sizeof(last_change));
    assert_true(worker_init(&clinic->worker, 0));
    peer_start(&clinic->peer);
    health_start(&clinic->worker, on_change);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", clinic->peer.port);
    clinic->server = server_get(S("clinic@test"), str_from(url));
    clinic->check = (struct health_check){.path = str_from(path), .method = S("GET"), .interval = 10 * TIME_MS,
                                          .timeout = 5 * TIME_S, .follow_redirects = true};
}

static void clinic_close(struct clinic *clinic)
{
    health_stop();
    loop_turn(&clinic->worker.loop, 0);
    server_unref(clinic->server);
    upstream_forget_all(&clinic->worker);
    worker_release(&clinic->worker);
    peer_stop(&clinic->peer);
    assert_int_equal(server_slot_count(), 0);
}

/* Turns the control thread's loop until the condition holds; fails when it never does. */
#define TURN_UNTIL(clinic, condition) \
    do { \
        unsigned turns_ = 0; \
        while (!(condition) && turns_++ < 5000) \
            loop_turn(&(clinic)->worker.loop, 2 * TIME_MS); \
        assert_true(condition); \
    } while (0)

TEST(health_check_takes_a_failing_server_out_and_brings_it_back)
{
    struct clinic clinic;
    clinic_open(&clinic, "/health?deep");
    struct health_claim *claim = health_claim(clinic.server, &clinic.check, &transport);
    TURN_UNTIL(&clinic, atomic_load(&clinic.server->check_status) == 200);
    assert_int_equal(last_change.count, 0);
    assert_non_null(strstr(clinic.peer.last_head, "GET /health?deep HTTP/1.1\r\n"));
    assert_non_null(strstr(clinic.peer.last_head, "User-Agent: Portico/"));
    atomic_store(&clinic.peer.forced_status, 503);
    TURN_UNTIL(&clinic, !atomic_load(&clinic.server->healthy));
    assert_false(server_is_ready(clinic.server, clinic.worker.loop.now));
    assert_int_equal(atomic_load(&clinic.server->check_status), 503);
    assert_non_null(atomic_load(&clinic.server->why_down));
    assert_true(last_change.count == 1 && !last_change.healthy);
    atomic_store(&clinic.peer.forced_status, 0);
    TURN_UNTIL(&clinic, atomic_load(&clinic.server->healthy));
    assert_null(atomic_load(&clinic.server->why_down));
    assert_int_not_equal(atomic_load(&clinic.server->ready_since), 0);
    assert_true(last_change.count == 2 && last_change.healthy);
    health_release(claim);
    clinic_close(&clinic);
}

TEST(health_check_sends_its_host_and_headers)
{
    struct clinic clinic;
    struct strmap_item headers[] = {{S("X-Probe"), S("yes")}, {S("Connection"), S("x-evil")}};
    clinic_open(&clinic, "/");
    clinic.check.hostname = S("app.example");
    clinic.check.method = S("HEAD");
    clinic.check.headers = (struct strmap){headers, 2};
    struct health_claim *claim = health_claim(clinic.server, &clinic.check, &transport);
    TURN_UNTIL(&clinic, atomic_load(&clinic.peer.requests) != 0);
    assert_non_null(strstr(clinic.peer.last_head, "HEAD / HTTP/1.1\r\nHost: app.example\r\n"));
    assert_non_null(strstr(clinic.peer.last_head, "X-Probe: yes\r\n"));
    assert_null(strstr(clinic.peer.last_head, "evil"));
    health_release(claim);
    clinic_close(&clinic);
}

TEST(health_check_judges_where_a_redirection_leads)
{
    struct clinic clinic;
    clinic_open(&clinic, "/to?/500");
    struct health_claim *claim = health_claim(clinic.server, &clinic.check, &transport);
    TURN_UNTIL(&clinic, atomic_load(&clinic.server->check_status) == 500);
    assert_false(atomic_load(&clinic.server->healthy));
    clinic.check.follow_redirects = false;
    struct health_claim *other = health_claim(clinic.server, &clinic.check, &transport);
    TURN_UNTIL(&clinic, atomic_load(&clinic.server->check_status) == 302);
    assert_true(atomic_load(&clinic.server->healthy));
    health_release(claim);
    health_release(other);
    clinic_close(&clinic);
}

TEST(health_check_gives_up_on_endless_redirections)
{
    struct clinic clinic;
    clinic_open(&clinic, "/to?/to?/");
    clinic.check.path = S("/to?/to?/to?/to?/to?/to?/to?/to?/to?/to?/to?/to?/");
    struct health_claim *claim = health_claim(clinic.server, &clinic.check, &transport);
    TURN_UNTIL(&clinic, last_change.count != 0);
    assert_string_equal(last_change.why, "the health check was redirected too often");
    assert_int_equal(atomic_load(&clinic.peer.requests), PROBE_REDIRECTS_MAX + 1);
    health_release(claim);
    clinic_close(&clinic);
}

TEST(health_check_of_a_server_that_refuses_says_so)
{
    struct clinic clinic;
    clinic_open(&clinic, "/");
    struct server *nobody = server_get(S("clinic@test"), S("http://127.0.0.1:1"));
    struct health_claim *claim = health_claim(nobody, &clinic.check, &transport);
    TURN_UNTIL(&clinic, last_change.count != 0);
    assert_string_equal(last_change.why, status_text(STATUS_UPSTREAM_REFUSED));
    assert_int_equal(atomic_load(&nobody->check_status), 0);
    health_release(claim);
    server_unref(nobody);
    clinic_close(&clinic);
}

TEST(health_check_can_ask_another_port)
{
    struct clinic clinic;
    clinic_open(&clinic, "/");
    struct server *elsewhere = server_get(S("clinic@test"), S("http://127.0.0.1:1"));
    clinic.check.port = clinic.peer.port;
    struct health_claim *claim = health_claim(elsewhere, &clinic.check, &transport);
    TURN_UNTIL(&clinic, atomic_load(&elsewhere->check_status) == 200);
    assert_true(atomic_load(&elsewhere->healthy));
    health_release(claim);
    server_unref(elsewhere);
    clinic_close(&clinic);
}

TEST(health_check_that_two_snapshots_claim_is_one)
{
    struct clinic clinic;
    clinic_open(&clinic, "/");
    clinic.check.interval = 3600 * TIME_S;
    struct health_claim *first = health_claim(clinic.server, &clinic.check, &transport);
    TURN_UNTIL(&clinic, atomic_load(&clinic.server->check_status) == 200);
    struct health_claim *second = health_claim(clinic.server, &clinic.check, &transport);
    assert_ptr_equal(first, second);
    health_release(first);
    for (unsigned i = 0; i < 20; i++)
        loop_turn(&clinic.worker.loop, TIME_MS);
    assert_int_equal(atomic_load(&clinic.peer.requests), 1);
    health_release(second);
    clinic_close(&clinic);
}

TEST(health_check_of_a_snapshot_that_is_refused_changes_nothing)
{
    struct clinic clinic;
    clinic_open(&clinic, "/");
    clinic.check.interval = 3600 * TIME_S;
    struct health_claim *running = health_claim(clinic.server, &clinic.check, &transport);
    TURN_UNTIL(&clinic, atomic_load(&clinic.server->check_status) == 200);
    struct health_check other = clinic.check;
    other.path = S("/500");
    health_release(health_claim(clinic.server, &other, &transport));
    for (unsigned i = 0; i < 20; i++)
        loop_turn(&clinic.worker.loop, TIME_MS);
    assert_int_equal(atomic_load(&clinic.peer.requests), 1);
    assert_true(atomic_load(&clinic.server->healthy));
    health_release(running);
    clinic_close(&clinic);
}

TEST(health_of_a_server_whose_checks_end_is_good)
{
    struct clinic clinic;
    clinic_open(&clinic, "/500");
    struct health_claim *claim = health_claim(clinic.server, &clinic.check, &transport);
    TURN_UNTIL(&clinic, !atomic_load(&clinic.server->healthy));
    struct health_claim *none = health_claim(clinic.server, NULL, &transport);
    TURN_UNTIL(&clinic, atomic_load(&clinic.server->healthy));
    health_release(none);      /* the older claim rules again */
    TURN_UNTIL(&clinic, !atomic_load(&clinic.server->healthy));
    health_release(claim);
    TURN_UNTIL(&clinic, atomic_load(&clinic.server->healthy));
    assert_null(clinic.server->health);
    clinic_close(&clinic);
}

TEST(health_claims_do_nothing_without_a_monitor)
{
    struct server *server = server_get(S("clinic@test"), S("http://127.0.0.1:1"));
    struct health_check check = {.path = S("/"), .method = S("GET"), .interval = TIME_S, .timeout = TIME_S};
    assert_null(health_claim(server, &check, &transport));
    health_release(NULL);
    server_unref(server);
}
