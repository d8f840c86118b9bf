#include "snapshot/maintenance.h"

#include "test.h"

#include "exchange/service.h"

struct bench {
    struct graph graph;
    struct router routers[3], *router_list[3];
    struct service services[2], *service_list[2];
};

static void bench_init(struct bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    bench->services[0].name = S("app@file");
    bench->services[1].name = S("api@internal");
    bench->services[1].internal = true;
    bench->routers[0] = (struct router){.name = STR("web@file"), .service = &bench->services[0]};
    bench->routers[1] = (struct router){.name = STR("web@file"), .service = &bench->services[0]};
    bench->routers[2] = (struct router){.name = STR("dashboard@file"), .service = &bench->services[1]};
    for (unsigned i = 0; i < 3; i++)
        bench->router_list[i] = &bench->routers[i];
    for (unsigned i = 0; i < 2; i++)
        bench->service_list[i] = &bench->services[i];
    bench->graph = (struct graph){.routers = bench->router_list, .router_count = 3, .services = bench->service_list,
                                  .service_count = 2};
    maintenance_apply(&bench->graph);
}

TEST(maintenance_of_a_router_holds_on_all_its_entrypoints_and_in_the_next_graph)
{
    struct bench bench, next;
    bench_init(&bench);
    assert_int_equal(maintenance_set(&bench.graph, MAINTAINED_ROUTER, S("web@file"), true), MAINTENANCE_DONE);
    assert_true(bench.routers[0].maintenance && bench.routers[1].maintenance && !bench.routers[2].maintenance);
    bench_init(&next);
    assert_true(next.routers[0].maintenance && next.routers[1].maintenance && !next.services[0].maintenance);
    assert_int_equal(maintenance_set(&next.graph, MAINTAINED_ROUTER, S("web@file"), false), MAINTENANCE_DONE);
    assert_false(next.routers[0].maintenance || next.routers[1].maintenance);
    bench_init(&next);
    assert_false(next.routers[0].maintenance);
}

TEST(maintenance_of_a_service_makes_it_unready)
{
    static const struct service_type type = {.state_size = 0};
    struct bench bench;
    bench_init(&bench);
    bench.services[0].type = &type;
    assert_true(service_is_ready(&bench.services[0], 0));
    assert_int_equal(maintenance_set(&bench.graph, MAINTAINED_SERVICE, S("app@file"), true), MAINTENANCE_DONE);
    assert_false(service_is_ready(&bench.services[0], 0));
    assert_int_equal(maintenance_set(&bench.graph, MAINTAINED_SERVICE, S("app@file"), false), MAINTENANCE_DONE);
    assert_true(service_is_ready(&bench.services[0], 0));
}

TEST(maintenance_is_refused_where_it_could_not_be_ended_again)
{
    struct bench bench;
    bench_init(&bench);
    assert_int_equal(maintenance_set(&bench.graph, MAINTAINED_ROUTER, S("dashboard@file"), true), MAINTENANCE_REFUSED);
    assert_int_equal(maintenance_set(&bench.graph, MAINTAINED_SERVICE, S("api@internal"), true), MAINTENANCE_REFUSED);
    assert_int_equal(maintenance_set(&bench.graph, MAINTAINED_SERVICE, S("other@file"), true), MAINTENANCE_UNKNOWN);
    assert_int_equal(maintenance_set(&bench.graph, MAINTAINED_ROUTER, S("web"), false), MAINTENANCE_UNKNOWN);
}

TEST(maintenance_of_what_is_gone_holds_when_it_comes_back_and_can_be_ended_meanwhile)
{
    struct bench bench, without, again;
    bench_init(&bench);
    maintenance_set(&bench.graph, MAINTAINED_SERVICE, S("app@file"), true);
    bench_init(&without);
    without.graph.service_count = 0;
    bench_init(&again);
    assert_true(again.services[0].maintenance);
    assert_int_equal(maintenance_set(&without.graph, MAINTAINED_SERVICE, S("app@file"), false), MAINTENANCE_DONE);
    bench_init(&again);
    assert_false(again.services[0].maintenance);
}
