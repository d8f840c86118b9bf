#include "provider/docker/self.h"

#include "test.h"

#define ID "ada7e913226f031e419a72534ea79d92bcff2012e61b4c2685388575fba0ab23"

TEST(docker_shows_the_id_where_it_mounts_the_hosts_name)
{
    struct self_hints hints = {.count = 0};
    self_add_mounts(&hints, S("605 589 254:0 /lib/docker/containers/" ID "/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/vda rw\n"
                              "606 589 254:0 /lib/docker/containers/" ID "/hostname /etc/hostname rw,relatime - ext4 /dev/vda rw\n"));
    assert_int_equal(hints.count, 1);
    assert_string_equal(hints.ids[0], ID);
}

TEST(podman_shows_it_too)
{
    struct self_hints hints = {.count = 0};
    self_add_mounts(&hints, S("61 58 0:24 /containers/overlay-containers/" ID "/userdata/hostname /etc/hostname rw - tmpfs tmpfs rw\n"));
    assert_int_equal(hints.count, 1);
}

TEST(folders_of_containers_that_a_host_has_mounted_are_not_ours)
{
    struct self_hints hints = {.count = 0};
    self_add_mounts(&hints, S("812 30 0:55 / /var/lib/docker/containers/" ID "/mounts/shm rw - tmpfs shm rw\n"
                              "813 30 0:56 / /var/lib/docker/overlay2/" ID "/merged rw - overlay overlay rw\n"));
    assert_int_equal(hints.count, 0);
}

TEST(cgroups_name_the_container_in_many_ways)
{
    static const struct str texts[] = {STR("12:pids:/docker/" ID "\n0::/\n"), STR("0::/system.slice/docker-" ID ".scope\n"),
                                       STR("0::/machine.slice/libpod-" ID ".scope/container\n")};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct self_hints hints = {.count = 0};
        self_add_cgroup(&hints, texts[i]);
        assert_int_equal(hints.count, 1);
        assert_string_equal(hints.ids[0], ID);
    }
    struct self_hints none = {.count = 0};
    self_add_cgroup(&none, S("0::/user.slice/user-1000.slice\n"));
    self_add_hostname(&none, S("web-1"));
    assert_int_equal(none.count, 0);
}

TEST(a_hint_is_believed_when_a_running_container_has_that_id)
{
    struct container_network networks[] = {{.name = STR("web")}};
    struct container containers[] = {{.id = STR(ID), .name = STR("portico"), .state = CONTAINER_STOPPED, .networks = networks, .network_count = 1}};
    struct inventory inventory = {.containers = containers, .count = 1};
    struct self_hints hints = {.count = 0};
    self_add_hostname(&hints, S("ada7e913226f"));
    self_apply(&hints, &inventory);
    assert_int_equal(inventory.self_id.len, 0);
    containers[0].state = CONTAINER_RUNNING;
    self_apply(&hints, &inventory);
    assert_str_equal(inventory.self_name, S("portico"));
    assert_int_equal(inventory.self_network_count, 1);
    assert_false(inventory.self_on_host);
}

TEST(in_anothers_network_we_are_where_that_one_is)
{
    struct container containers[] = {
        {.id = STR(ID), .state = CONTAINER_RUNNING, .network_mode = STR("container:0123456789abcdef")},
        {.id = STR("0123456789abcdef"), .state = CONTAINER_RUNNING, .network_mode = STR("host")},
    };
    struct inventory inventory = {.containers = containers, .count = 2};
    struct self_hints hints = {.count = 0};
    self_add_hostname(&hints, S("ada7e913226f"));
    self_apply(&hints, &inventory);
    assert_true(inventory.self_on_host);
}
