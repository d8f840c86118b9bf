#include "provider/docker/inspect.h"

#include <signal.h>
#include <stdio.h>

#include "recorded.h"

static struct arena arena;

static struct inspected read_recorded(const char *name)
{
    struct inspected what;
    arena_init(&arena, ARENA_UNLIMITED);
    assert_true(inspect_read(recorded(&arena, name), &arena, &what));
    return what;
}

static struct inspected read_text(const char *text)
{
    struct inspected what;
    arena_init(&arena, ARENA_UNLIMITED);
    assert_true(inspect_read(str_from(text), &arena, &what));
    return what;
}

TEST(a_container_is_read_as_docker_tells_it)
{
    struct inspected what = read_recorded("docker-20.10/container.json");
    const struct container *container = &what.container;
    assert_int_equal(container->id.len, 64);
    assert_str_equal(container->name, S("w1"));
    assert_str_equal(container->image, S("t/who:1"));
    assert_int_equal(container->state, CONTAINER_RUNNING);
    assert_int_equal(container->health, HEALTH_BAD);
    assert_true(str_starts(container->health_output, S("OCI runtime exec failed")));
    assert_int_equal(container->label_count, 3);
    assert_str_equal(container->labels[2].key, S("traefik.http.routers.w.rule"));
    assert_str_equal(container->labels[2].value, S("Host(`w.test`)"));
    assert_str_equal(container->network_mode, S("web"));
    assert_int_equal(container->network_count, 1);
    assert_str_equal(container->networks[0].name, S("web"));
    assert_str_equal(container->networks[0].ipv4, S("172.30.0.2"));
    assert_int_equal(container->port_count, 1);
    assert_int_equal(container->ports[0], 8080);
    assert_int_equal(container->created, INT64_C(1795339668194071754));
    assert_int_equal(what.stop_signal, SIGTERM);
    arena_release(&arena);
}

static size_t labels_taken(size_t count, size_t value_length, bool *ret_beyond)
{
    struct text text;
    struct inspected what;
    text_init(&text, (size_t)4 << 20);
    text_addf(&text, "{\"Id\": \"0123456789ab\", \"State\": {}, \"Config\": {\"Labels\": {");
    for (size_t i = 0; i < count; i++) {
        text_addf(&text, "%s\"k%zu\": \"", i != 0 ? ", " : "", i);
        for (size_t k = 0; k < value_length; k++)
            text_add(&text, S("x"));
        text_add(&text, S("\""));
    }
    text_add(&text, S("}}}"));
    what = read_text(text_c(&text));
    *ret_beyond = what.container.labels_beyond;
    text_release(&text);
    size_t taken = what.container.label_count;
    arena_release(&arena);
    return taken;
}

TEST(of_more_labels_than_anybody_writes_none_is_taken)
{
    bool beyond;
    assert_int_equal(labels_taken(1000, 1, &beyond), 1000);
    assert_false(beyond);
    assert_int_equal(labels_taken(1001, 1, &beyond), 0);
    assert_true(beyond);
    assert_int_equal(labels_taken(2, (size_t)600 << 10, &beyond), 0);
    assert_true(beyond);
}

TEST(a_container_on_the_host_has_the_ports_that_its_image_exposes)
{
    struct inspected what = read_recorded("docker-20.10/container-on-host.json");
    assert_str_equal(what.container.network_mode, S("host"));
    assert_int_equal(what.container.port_count, 1);
    assert_int_equal(what.container.ports[0], 8080);
    arena_release(&arena);
}

TEST(podman_says_the_same_with_numbers_for_signals)
{
    struct inspected what = read_recorded("podman-4.3/container.json");
    assert_str_equal(what.container.name, S("w1"));
    assert_int_equal(what.container.health, HEALTH_STARTING);
    assert_str_equal(what.container.networks[0].name, S("pweb"));
    assert_str_equal(what.container.networks[0].ipv4, S("198.18.30.2"));
    assert_int_equal(what.stop_signal, 15);
    arena_release(&arena);
}

TEST(ports_are_tcp_without_doubles_and_the_lowest_is_first)
{
    struct inspected what = read_text(
        "{\"Id\":\"0123456789ab\",\"State\":{\"Status\":\"running\"},\"Config\":{\"ExposedPorts\":{\"9000/tcp\":{},\"53/udp\":{},\"80/tcp\":{}}},"
        "\"NetworkSettings\":{\"Ports\":{\"9000/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"19000\"},{\"HostIp\":\"::\",\"HostPort\":\"x\"}],"
        "\"53/udp\":[{\"HostIp\":\"\",\"HostPort\":\"53\"}],\"80/tcp\":null}}}");
    assert_int_equal(what.container.port_count, 2);
    assert_int_equal(what.container.ports[0], 80);
    assert_int_equal(what.container.ports[1], 9000);
    assert_int_equal(what.container.binding_count, 1);
    assert_int_equal(what.container.bindings[0].port, 9000);
    assert_int_equal(what.container.bindings[0].host_port, 19000);
    assert_str_equal(what.container.bindings[0].host_ip, S("127.0.0.1"));
    arena_release(&arena);
}

TEST(each_state_that_an_engine_knows_is_one_of_ours)
{
    static const struct {
        const char *status;
        enum container_state state;
    } states[] = {{"created", CONTAINER_CREATED}, {"configured", CONTAINER_CREATED},      {"running", CONTAINER_RUNNING},
                  {"paused", CONTAINER_PAUSED},   {"restarting", CONTAINER_RESTARTING},   {"exited", CONTAINER_STOPPED},
                  {"dead", CONTAINER_STOPPED},    {"something else", CONTAINER_STOPPED}};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        char text[200];
        snprintf(text, sizeof(text), "{\"Id\":\"0123456789ab\",\"State\":{\"Status\":\"%s\"}}", states[i].status);
        assert_int_equal(read_text(text).container.state, states[i].state);
        arena_release(&arena);
    }
}

TEST(what_a_check_printed_is_one_line_without_what_moves_a_cursor)
{
    struct inspected what = read_text("{\"Id\":\"0123456789ab\",\"State\":{\"Status\":\"running\",\"Health\":{\"Status\":\"unhealthy\",\"Log\":["
                                      "{\"ExitCode\":1,\"Output\":\" a\\u001b[2Jb\\nc \"}]}}}");
    assert_str_equal(what.container.health_output, S("a [2Jb c"));
    arena_release(&arena);
}

TEST(a_label_with_a_nul_takes_nobody_else_down)
{
    struct inspected what = read_text("{\"Id\":\"0123456789ab\",\"State\":{},\"Config\":{\"Labels\":{\"a\":\"x\\u0000y\",\"b\":7}}}");
    assert_int_equal(what.container.label_count, 2);
    assert_int_equal(what.container.labels[0].value.len, 3);
    assert_int_equal(what.container.labels[1].value.len, 0);
    arena_release(&arena);
}

TEST(what_is_no_container_is_refused)
{
    static const char *const texts[] = {"", "null", "[]", "{", "{\"Id\":7,\"State\":{}}", "{\"Id\":\"0123456789ab\"}", "{\"message\":\"No such container\"}"};
    struct inspected what;
    arena_init(&arena, ARENA_UNLIMITED);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(inspect_read(str_from(texts[i]), &arena, &what));
    arena_release(&arena);
}

TEST(a_list_gives_the_ids)
{
    struct strs ids;
    arena_init(&arena, ARENA_UNLIMITED);
    assert_true(inspect_read_list(recorded(&arena, "docker-20.10/list.json"), &arena, &ids));
    assert_int_equal(ids.count, 1);
    assert_int_equal(ids.items[0].len, 64);
    assert_true(inspect_read_list(S("[]"), &arena, &ids));
    assert_int_equal(ids.count, 0);
    assert_false(inspect_read_list(S("{\"message\":\"no\"}"), &arena, &ids));
    arena_release(&arena);
}

TEST(signals_have_names_and_numbers)
{
    assert_int_equal(inspect_signal(S("SIGTERM")), 15);
    assert_int_equal(inspect_signal(S("quit")), 3);
    assert_int_equal(inspect_signal(S("9")), 9);
    assert_int_equal(inspect_signal(S("SIGRTMIN+3")), 37);
    assert_int_equal(inspect_signal(S("SIGNONE")), 0);
    assert_int_equal(inspect_signal(S("900")), 0);
}
