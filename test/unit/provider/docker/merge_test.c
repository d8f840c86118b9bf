#include <stdio.h>

#include "scene.h"

TEST(replicas_are_servers_of_one_service)
{
    scene_begin();
    for (int i = 2; i < 5; i++)
        scene_add(arena_printf(&scene.inventory.arena, "web-%d", i).data, arena_printf(&scene.inventory.arena, "10.0.0.%d", i).data,
                  PORTS(80), LABELS("traefik.http.routers.web.rule", "Host(`a`)", "traefik.http.services.web.loadbalancer.healthcheck.path",
                                    "/up"));
    scene_discover();
    assert_string_equal(scene_servers("web"), "http://10.0.0.2:80, http://10.0.0.3:80, http://10.0.0.4:80");
    assert_int_equal(scene_http()->routers.count, 1);
    assert_string_equal(scene_diag(), "");
    assert_str_equal(scene_found("web-4")->routers.items[0], S("web@docker"));
    scene_end();
}

TEST(servers_with_one_url_are_one)
{
    scene_begin();
    for (int i = 0; i < 2; i++)
        scene_add(i == 0 ? "a" : "b", "10.0.0.2", PORTS(80), LABELS("traefik.http.services.s.loadbalancer.server.url", "http://x:1"))->stopping =
            i == 0;
    scene_discover();
    assert_string_equal(scene_servers("s"), "http://x:1");
    scene_end();
}

TEST(a_service_that_containers_define_differently_is_left_out_for_all_of_them)
{
    scene_begin();
    for (int i = 1; i < 4; i++)
        scene_add(arena_printf(&scene.inventory.arena, "web-%d", i).data, "10.0.0.2", PORTS(80),
                  LABELS("traefik.http.routers.web.rule", "Host(`a`)", "traefik.http.services.web.loadbalancer.healthcheck.path",
                         i == 2 ? "/other" : "/up"));
    scene_discover();
    assert_string_equal(scene_servers("web"), "-");
    assert_non_null(scene_router("web"));
    assert_str_equal(scene_remark("web"), S("container web-1 and container web-2 define it differently: "
                                            "'loadbalancer.healthcheck.path' is '/up' and '/other'"));
    assert_str_equal(scene.model->remarks[0].place, S("container web-1: traefik.http.services.web.loadbalancer.healthcheck.path"));
    for (int i = 1; i < 4; i++) {
        const struct discovered *found = scene_found(arena_printf(&scene.inventory.arena, "web-%d", i).data);
        assert_int_equal(found->state, DISCOVERY_LEFT_OUT);
        assert_true(found->mistake);
    }
    scene_end();
}

TEST(routers_and_middlewares_that_differ_are_left_out_too)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80), LABELS("traefik.http.routers.r.rule", "Host(`a`)", "traefik.http.middlewares.m.compress", "true"));
    scene_add("b", "10.0.0.3", PORTS(80), LABELS("traefik.http.routers.r.rule", "Host(`b`)",
                                                  "traefik.http.middlewares.m.compress.minresponsebodybytes", "10"));
    scene_discover();
    assert_null(scene_router("r"));
    assert_int_equal(scene_http()->middlewares.count, 0);
    assert_int_equal(scene_http()->services.count, 2);
    assert_str_equal(scene_remark("r"), S("container a and container b define it differently: 'rule' is 'Host(`a`)' and 'Host(`b`)'"));
    assert_int_equal(scene_found("a")->state, DISCOVERY_SERVED);
    assert_true(scene_found("a")->mistake);
    scene_end();
}

TEST(what_says_the_same_in_another_order_or_case_is_the_same)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80),
              LABELS("traefik.http.routers.r.rule", "Host(`a`)", "portico.http.routers.r.entrypoints", "web",
                     "traefik.http.services.s.loadbalancer.passHostHeader", "false"));
    scene_add("b", "10.0.0.3", PORTS(80),
              LABELS("traefik.http.services.s.LoadBalancer.passhostheader", "false", "traefik.http.routers.r.EntryPoints", "web",
                     "traefik.http.routers.r.rule", "Host(`a`)"));
    scene_discover();
    assert_non_null(scene_router("r"));
    assert_string_equal(scene_servers("s"), "http://10.0.0.2:80, http://10.0.0.3:80");
    scene_end();
}

static struct container *compose(const char *name, const char *address, const char *rule, const char *path)
{
    return scene_add(name, address, PORTS(80),
                     LABELS("com.docker.compose.project", "shop", "com.docker.compose.service", "api", "traefik.http.routers.r.rule",
                            rule, "traefik.http.services.s.loadbalancer.healthcheck.path", path));
}

TEST(while_a_compose_service_is_rolled_over_the_youngest_is_believed_and_all_are_asked)
{
    scene_begin();
    compose("new", "10.0.0.3", "Host(`b`)", "/new")->created = INT64_C(99000000000);
    compose("old", "10.0.0.2", "Host(`a`)", "/old");
    scene_discover();
    assert_str_equal(scene_router("r")->rule, S("Host(`b`)"));
    assert_string_equal(scene_servers("s"), "http://10.0.0.3:80, http://10.0.0.2:80");
    assert_null(scene_remark("s").data);
    assert_int_equal(scene_found("old")->state, DISCOVERY_SERVED);
    assert_false(scene_found("old")->mistake);
    assert_str_equal(scene_found("old")->reason, S("router 'r' is as the younger container new defines it"));
    scene_end();
}

TEST(a_container_that_is_not_ready_defines_nothing_that_a_ready_one_defines)
{
    scene_begin();
    compose("new", "10.0.0.3", "Host(`b`)", "/new")->health = HEALTH_STARTING;
    compose("old", "10.0.0.2", "Host(`a`)", "/old");
    compose("going", "10.0.0.5", "Host(`a`)", "/older")->stopping = true;
    scene_add("stranger", "10.0.0.4", PORTS(80), LABELS("traefik.http.routers.r.rule", "Host(`c`)"))->health = HEALTH_BAD;
    scene_discover();
    assert_str_equal(scene_router("r")->rule, S("Host(`a`)"));
    assert_string_equal(scene_servers("s"), "http://10.0.0.2:80, http://10.0.0.5:80!");
    assert_str_equal(scene_found("new")->routers.items[0], S("r@docker"));
    assert_true(scene_found("stranger")->mistake);
    assert_int_equal(scene_found("stranger")->routers.count, 0);
    scene_end();
}

TEST(a_container_that_does_not_run_only_fills_in_what_nobody_else_defines)
{
    scene_begin();
    compose("old", "10.0.0.2", "Host(`a`)", "/old")->state = CONTAINER_STOPPED;
    struct container *other = scene_add("other", NULL, PORTS(80),
                                        LABELS("traefik.http.routers.r.rule", "Host(`x`)", "traefik.http.routers.q.rule", "Host(`q`)"));
    other->state = CONTAINER_STOPPED;
    scene_add("running", "10.0.0.3", PORTS(80), LABELS("traefik.http.routers.r.rule", "Host(`b`)"));
    scene_discover();
    assert_str_equal(scene_router("r")->rule, S("Host(`b`)"));
    assert_non_null(scene_router("q"));
    assert_string_equal(scene_servers("other"), "");
    assert_string_equal(scene_servers("s"), "");
    assert_null(scene_remark("r").data);
    scene_end();
}

TEST(of_those_that_do_not_run_the_youngest_is_believed)
{
    scene_begin();
    scene_add("a", NULL, PORTS(80), LABELS("traefik.http.routers.r.rule", "Host(`a`)"))->state = CONTAINER_STOPPED;
    scene_add("b", NULL, PORTS(80), LABELS("traefik.http.routers.r.rule", "Host(`b`)"))->state = CONTAINER_STOPPED;
    scene_discover();
    assert_str_equal(scene_router("r")->rule, S("Host(`b`)"));
    assert_string_equal(scene_diag(), "");
    scene_end();
}

TEST(a_forgotten_container_does_not_share_a_rule_with_one_that_runs)
{
    scene_begin();
    scene_add("forgotten", NULL, PORTS(80), LABELS("traefik.http.routers.old.rule", "Host(`a`)"))->state = CONTAINER_STOPPED;
    scene_add("running", "10.0.0.3", PORTS(80), LABELS("traefik.http.routers.new.rule", "Host(`a`)"));
    scene_discover();
    assert_null(scene_router("old"));
    assert_non_null(scene_router("new"));
    assert_null(scene_remark("old").data);
    scene_end();
}

TEST(a_mistake_of_one_container_does_not_take_what_another_defines_well)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80), LABELS("traefik.http.services.s.loadbalancer.server.port", "eighty"));
    scene_add("b", "10.0.0.3", PORTS(80), LABELS("traefik.http.services.s.loadbalancer.server.port", "80"));
    scene_discover();
    assert_string_equal(scene_servers("s"), "http://10.0.0.3:80");
    assert_int_equal(scene_found("a")->state, DISCOVERY_LEFT_OUT);
    assert_true(scene_found("a")->mistake);
    assert_int_equal(scene_found("b")->state, DISCOVERY_SERVED);
    scene_end();
}

TEST(many_containers_that_all_differ_are_merged_without_comparing_each_with_each)
{
    scene_begin();
    for (int i = 0; i < SCENE_MAX; i++)
        scene_add(arena_printf(&scene.inventory.arena, "c%d", i).data, arena_printf(&scene.inventory.arena, "10.0.%d.%d", i / 250, i % 250).data,
                  PORTS(80), LABELS("traefik.http.routers.r.rule", arena_printf(&scene.inventory.arena, "Host(`%d`)", i).data,
                                    "traefik.http.services.s.loadbalancer.server.port", "80"));
    scene_discover();
    assert_null(scene_router("r"));
    assert_int_equal(scene_balancer("s")->servers.count, SCENE_MAX);
    scene_end();
}

TEST(tasks_of_a_swarm_service_are_servers_of_it_by_its_name)
{
    scene_begin();
    scene.discovery.provider = S("swarm");
    for (int i = 2; i < 4; i++)
        scene_add(i == 2 ? "web.1.x" : "web.2.y", i == 2 ? "10.0.0.2" : "10.0.0.3", NO_PORTS,
                  LABELS("traefik.http.services.web.loadbalancer.server.port", "80"))->service = S("web");
    scene_discover();
    assert_str_equal(scene_router("web")->rule, S("Host(`web`)"));
    assert_string_equal(scene_servers("web"), "http://10.0.0.2:80, http://10.0.0.3:80");
    assert_str_equal(scene_found("web.1.x")->routers.items[0], S("web@swarm"));
    scene_end();
}

TEST(a_swarm_service_that_spreads_by_itself_is_asked_at_its_own_address)
{
    scene_begin();
    for (int i = 2; i < 4; i++) {
        struct container *task = scene_add(i == 2 ? "web.1.x" : "web.2.y", i == 2 ? "10.0.0.2" : "10.0.0.3", NO_PORTS,
                                           LABELS("traefik.http.services.web.loadbalancer.server.port", "80", "traefik.swarm.lbswarm", "true"));
        task->service = S("web");
        task->virtual_ip = S("10.0.9.9");
    }
    scene_discover();
    assert_string_equal(scene_servers("web"), "http://10.0.9.9:80");
    scene_end();
}
