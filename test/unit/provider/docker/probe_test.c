#include "provider/docker/probe.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "test.h"

static struct loop loop;
static struct probes *probes;
static unsigned answers;

static void on_answer(void *owner)
{
    answers++;
}

static int open_socket(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static struct discovered_server server_at(char *text, size_t size, uint16_t port)
{
    snprintf(text, size, "127.0.0.1:%u", port);
    return (struct discovered_server){.container_id = S("one"), .address = str_from(text), .running = true};
}

static void set(const struct discovered_server *servers, size_t count)
{
    struct discovered_server copy[4];
    for (size_t i = 0; i < count; i++)
        copy[i] = servers[i];
    probes_set(probes, &(struct discovered_servers){.items = copy, .count = count});
}

static void begin(void)
{
    assert_true(loop_init(&loop));
    probes = probes_new(&loop, on_answer, NULL);
    answers = 0;
}

static void end(void)
{
    probes_free(probes);
    loop_turn(&loop, 0);
    loop_release(&loop);
}

static void turn_until(struct str address, enum port_answer answer)
{
    for (int64_t limit = time_monotonic() + 20 * TIME_S; probes_answer(probes, S("one"), address) != answer;) {
        assert_true(time_monotonic() < limit);
        loop_turn(&loop, 10 * TIME_MS);
    }
}

TEST(a_port_that_refuses_is_asked_again_until_it_is_open)
{
    char text[32];
    uint16_t port;
    begin();
    int fd = open_socket(&port);
    struct discovered_server server = server_at(text, sizeof(text), port);
    set(&server, 1);
    assert_int_equal(probes_pending(probes), 1);
    turn_until(server.address, PORT_REFUSED);
    assert_int_equal(listen(fd, 8), 0);
    turn_until(server.address, PORT_OPEN);
    assert_int_equal(answers, 2);
    assert_int_equal(probes_pending(probes), 0);
    close(fd);
    set(&server, 1);      /* it has answered: that holds although nobody listens now */
    loop_turn(&loop, 50 * TIME_MS);
    assert_int_equal(probes_answer(probes, S("one"), server.address), PORT_OPEN);
    end();
}

TEST(what_is_known_of_a_container_is_forgotten_when_it_starts_again_or_is_not_named)
{
    char text[32];
    uint16_t port;
    begin();
    int fd = open_socket(&port);
    assert_int_equal(listen(fd, 8), 0);
    struct discovered_server server = server_at(text, sizeof(text), port);
    set(&server, 1);
    turn_until(server.address, PORT_OPEN);
    probes_forget(probes, S("other"));
    assert_int_equal(probes_answer(probes, S("one"), server.address), PORT_OPEN);
    probes_forget(probes, S("one"));
    assert_int_equal(probes_answer(probes, S("one"), server.address), PORT_UNKNOWN);
    set(&server, 1);
    turn_until(server.address, PORT_OPEN);
    set(NULL, 0);
    assert_int_equal(probes_answer(probes, S("one"), server.address), PORT_UNKNOWN);
    server.running = false;
    set(&server, 1);
    assert_int_equal(probes_pending(probes), 0);
    close(fd);
    end();
}

TEST(a_name_is_not_asked_and_counts_as_open)
{
    begin();
    struct discovered_server server = {.container_id = S("one"), .address = S("host.docker.internal:80"), .running = true};
    set(&server, 1);
    assert_int_equal(probes_answer(probes, S("one"), server.address), PORT_OPEN);
    end();
}
