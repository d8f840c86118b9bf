#include "scene.h"

TEST(what_is_not_ready_keeps_its_router_and_is_not_asked)
{
    static const struct {
        enum container_state state;
        enum container_health health;
        bool mistake;
        const char *reason;
    } cases[] = {
        {CONTAINER_CREATED, HEALTH_NONE, false, "it was not started yet"},
        {CONTAINER_PAUSED, HEALTH_NONE, false, "it is paused"},
        {CONTAINER_RESTARTING, HEALTH_NONE, true, "it ended with code 3 and is about to be started again"},
        {CONTAINER_STOPPED, HEALTH_NONE, false, "it stopped with code 3"},
        {CONTAINER_REMOVED, HEALTH_NONE, false, "it was removed a moment ago"},
        {CONTAINER_RUNNING, HEALTH_STARTING, false, "its health check has not passed yet"},
        {CONTAINER_RUNNING, HEALTH_BAD, true, "its health check fails: connection refused"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        scene_begin();
        struct container *container = scene_add("a", "10.0.0.2", PORTS(80), LABELS("traefik.enable", "true"));
        container->state = cases[i].state;
        container->health = cases[i].health;
        container->exit_code = 3;
        container->health_output = S("connection refused\n");
        scene_discover();
        assert_non_null(scene_router("a"));
        assert_string_equal(scene_servers("a"), "");
        assert_int_equal(scene_found("a")->state, DISCOVERY_NOT_READY);
        assert_str_equal(scene_found("a")->reason, str_from(cases[i].reason));
        assert_int_equal(scene_found("a")->mistake, cases[i].mistake);
        assert_int_equal(scene.servers.count, cases[i].state == CONTAINER_RUNNING);
        assert_string_equal(scene_diag(), "");
        scene_end();
    }
}

TEST(a_healthy_container_is_asked)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80), NO_LABELS)->health = HEALTH_GOOD;
    scene_discover();
    assert_string_equal(scene_servers("a"), "http://10.0.0.2:80");
    scene_end();
}

TEST(a_container_that_was_told_to_stop_is_leaving)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80), NO_LABELS)->stopping = true;
    scene_discover();
    assert_string_equal(scene_servers("a"), "http://10.0.0.2:80!");
    assert_int_equal(scene_found("a")->state, DISCOVERY_LEAVING);
    assert_str_equal(scene_found("a")->reason, S("it was told to stop"));
    scene_end();
}

TEST(a_job_that_ended_and_has_no_labels_makes_no_router)
{
    scene_begin();
    scene_add("job", NULL, PORTS(80), NO_LABELS)->state = CONTAINER_STOPPED;
    scene_add("made", NULL, PORTS(80), NO_LABELS)->state = CONTAINER_CREATED;
    scene_add("replaced", NULL, PORTS(80), NO_LABELS)->state = CONTAINER_REMOVED;
    scene_discover();
    assert_int_equal(scene_http()->routers.count, 1);
    assert_non_null(scene_router("replaced"));
    assert_int_equal(scene_found("job")->state, DISCOVERY_LEFT_OUT);
    assert_false(scene_found("job")->mistake);
    scene_end();
}

TEST(a_server_is_asked_when_its_port_has_answered)
{
    static const struct {
        enum port_answer answer;
        bool mistake;
        const char *reason;
    } cases[] = {
        {PORT_UNKNOWN, false, "10.0.0.2:8000 has not answered yet"},
        {PORT_REFUSED, true, "nothing listens on 10.0.0.2:8000: does the application listen on 127.0.0.1 only? "
                             "(e.g. uvicorn needs --host 0.0.0.0)"},
        {PORT_SILENT, true, "10.0.0.2:8000 does not answer"},
        {PORT_UNREACHABLE, true, "there is no way to 10.0.0.2:8000"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        scene_begin();
        scene_ports(cases[i].answer);
        scene_add("a", "10.0.0.2", PORTS(8000), NO_LABELS);
        scene_discover();
        assert_non_null(scene_router("a"));
        assert_string_equal(scene_servers("a"), "");
        assert_int_equal(scene_found("a")->state, DISCOVERY_NOT_READY);
        assert_str_equal(scene_found("a")->reason, str_from(cases[i].reason));
        assert_int_equal(scene_found("a")->mistake, cases[i].mistake);
        assert_str_equal(scene_found("a")->servers.items[0], S("http://10.0.0.2:8000"));
        assert_int_equal(scene.servers.count, 1);
        scene_end();
    }
}

TEST(one_open_port_of_two_makes_a_container_served)
{
    scene_begin();
    scene_ports(PORT_REFUSED);
    scene.open = S("10.0.0.2:8001");
    scene_add("a", "10.0.0.2", PORTS(80),
              LABELS("traefik.http.services.s.loadbalancer.server.port", "8000", "traefik.http.services.t.loadbalancer.server.port",
                     "8001"));
    scene_discover();
    assert_string_equal(scene_servers("s"), "");
    assert_string_equal(scene_servers("t"), "http://10.0.0.2:8001");
    assert_int_equal(scene_found("a")->state, DISCOVERY_SERVED);
    assert_true(scene_found("a")->mistake);
    scene_end();
}

TEST(a_guessed_port_that_refuses_hints_at_the_others)
{
    scene_begin();
    scene_ports(PORT_REFUSED);
    scene_add("a", "10.0.0.2", PORTS(80, 8000, 9000), NO_LABELS);
    scene_discover();
    assert_str_equal(scene_found("a")->hint,
                     S("it exposes 8000, 9000 too: traefik.http.services.a.loadbalancer.server.port says which it is"));
    scene_end();
}

TEST(replicas_that_are_not_ready_are_left_out_of_their_service_alone)
{
    scene_begin();
    scene_ports(PORT_REFUSED);
    scene.open = S("10.0.0.3:80");
    scene_add("web-1", "10.0.0.2", PORTS(80), LABELS("traefik.http.routers.web.rule", "Host(`a`)", "traefik.http.services.web.loadbalancer.server.port", "80"));
    scene_add("web-2", "10.0.0.3", PORTS(80), LABELS("traefik.http.routers.web.rule", "Host(`a`)", "traefik.http.services.web.loadbalancer.server.port", "80"));
    scene_discover();
    assert_string_equal(scene_servers("web"), "http://10.0.0.3:80");
    assert_int_equal(scene_found("web-1")->state, DISCOVERY_NOT_READY);
    assert_int_equal(scene_found("web-2")->state, DISCOVERY_SERVED);
    scene_end();
}
