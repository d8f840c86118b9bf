#include "provider/docker/swarm_read.h"

#include "recorded.h"

static const struct container *find(const struct swarm_tasks *tasks, const char *service)
{
    for (size_t i = 0; i < tasks->count; i++)
        if (str_equal(tasks->items[i].container.service, str_from(service)))
            return &tasks->items[i].container;
    fail_msg("no task of %s", service);
    return NULL;
}

TEST(tasks_become_containers_with_the_labels_of_their_service)
{
    struct arena arena;
    struct swarm_tasks tasks;
    arena_init(&arena, ARENA_UNLIMITED);
    assert_true(swarm_read(recorded(&arena, "swarm-20.10/services.json"), recorded(&arena, "swarm-20.10/tasks.json"), &arena, &tasks));
    assert_int_equal(tasks.count, 2);
    const struct container *web = find(&tasks, "web"), *vip = find(&tasks, "vip");
    assert_str_equal(web->name, S("web.1.0bguax5awyhaawvg354cb5tz9"));
    assert_str_equal(web->image, S("t/who:1"));
    assert_int_equal(web->state, CONTAINER_RUNNING);
    assert_false(web->stopping);
    assert_str_equal(web->labels[0].key, S("traefik.enable"));
    assert_str_equal(web->networks[0].ipv4, S("10.0.1.3"));
    assert_int_equal(web->virtual_ip.len, 0);
    assert_int_equal(vip->network_count, 1);      /* not the mesh's */
    assert_str_equal(vip->networks[0].name, S("ov"));
    assert_str_equal(vip->networks[0].virtual_ip, S("10.0.1.5"));
    assert_str_equal(vip->virtual_ip, S("10.0.1.5"));
    assert_int_equal(vip->ports[0], 8080);
    arena_release(&arena);
}

TEST(a_task_that_runs_but_should_not_is_stopping_and_one_that_is_over_is_none)
{
    struct arena arena;
    struct swarm_tasks tasks;
    arena_init(&arena, ARENA_UNLIMITED);
    struct str services = S("[{\"ID\":\"s\",\"Spec\":{\"Name\":\"web\"}}]");
    assert_true(swarm_read(services,
                           S("[{\"ID\":\"a\",\"ServiceID\":\"s\",\"NodeID\":\"n\",\"Status\":{\"State\":\"running\"},\"DesiredState\":\"shutdown\"},"
                             "{\"ID\":\"b\",\"ServiceID\":\"s\",\"Status\":{\"State\":\"failed\"},\"DesiredState\":\"running\"},"
                             "{\"ID\":\"c\",\"ServiceID\":\"other\",\"Status\":{\"State\":\"running\"},\"DesiredState\":\"running\"},"
                             "{\"ID\":\"d\",\"ServiceID\":\"s\",\"Slot\":2,\"Status\":{\"State\":\"preparing\"},\"DesiredState\":\"running\"}]"),
                           &arena, &tasks));
    assert_int_equal(tasks.count, 2);
    assert_true(tasks.items[0].container.stopping);
    assert_str_equal(tasks.items[0].container.name, S("web.n.a"));
    assert_int_equal(tasks.items[1].container.state, CONTAINER_CREATED);
    assert_str_equal(tasks.items[1].container.name, S("web.2.d"));
    assert_false(swarm_read(S("{\"message\":\"no\"}"), S("[]"), &arena, &tasks));
    arena_release(&arena);
}
