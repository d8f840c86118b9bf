#include "scene.h"

static struct container_network own_networks[2];

/* Portico runs in container "portico", in these networks. */
static void be_in(const char *first, const char *second)
{
    scene.inventory.self_id = S("id-of-portico-itself");
    scene.inventory.self_name = S("portico");
    own_networks[0] = (struct container_network){.name = str_from(first)};
    own_networks[1] = (struct container_network){.name = str_from(second)};
    scene.inventory.self_networks = own_networks;
    scene.inventory.self_network_count = (first != NULL) + (second != NULL);
}

static struct container *with_two(const char *const *labels)
{
    struct container *container = scene_add("a", NULL, PORTS(80), labels);
    scene_network(container, "alpha", "10.1.0.2");
    scene_network(container, "shop_beta", "10.2.0.2");
    return container;
}

TEST(the_network_of_the_label_is_used)
{
    scene_begin();
    scene_options("network: alpha\n");
    with_two(LABELS("traefik.docker.network", "shop_beta"));
    scene_discover();
    assert_string_equal(scene_servers("a"), "http://10.2.0.2:80");
    assert_str_equal(scene_found("a")->reason, S(""));
    scene_end();
}

TEST(the_network_of_the_label_may_lack_the_projects_name)
{
    scene_begin();
    with_two(LABELS("traefik.docker.network", "beta", "com.docker.compose.project", "shop"));
    scene_discover();
    assert_string_equal(scene_servers("a"), "http://10.2.0.2:80");
    assert_false(scene_found("a")->mistake);
    assert_str_equal(scene_found("a")->reason, S("the network 'beta' of its labels is 'shop_beta' to the engine"));
    scene_end();
}

TEST(a_network_that_is_not_there_is_told_and_another_taken)
{
    scene_begin();
    with_two(LABELS("traefik.docker.network", "gamma"));
    scene_discover();
    assert_string_equal(scene_servers("a"), "http://10.1.0.2:80");
    assert_true(scene_found("a")->mistake);
    assert_str_equal(scene_found("a")->reason,
                     S("it is not in the network 'gamma' that its labels name (it is in: alpha, shop_beta)"));
    scene_end();
}

TEST(the_providers_network_comes_next)
{
    scene_begin();
    scene_options("network: shop_beta\n");
    with_two(NO_LABELS);
    scene_discover();
    assert_string_equal(scene_servers("a"), "http://10.2.0.2:80");
    scene_end();
}

TEST(the_network_that_portico_shares_is_used)
{
    scene_begin();
    be_in("front", "shop_beta");
    with_two(NO_LABELS);
    scene_discover();
    assert_string_equal(scene_servers("a"), "http://10.2.0.2:80");
    assert_str_equal(scene_found("a")->reason, S(""));
    scene_end();
}

TEST(where_no_network_is_shared_it_says_which_to_join)
{
    scene_begin();
    be_in("front", NULL);
    scene_ports(PORT_SILENT);
    with_two(NO_LABELS);
    scene_discover();
    assert_string_equal(scene_servers("a"), "");
    assert_int_equal(scene_found("a")->state, DISCOVERY_NOT_READY);
    assert_true(scene_found("a")->mistake);
    assert_str_equal(scene_found("a")->reason,
                     S("10.1.0.2:80 does not answer: it shares no network with Portico (it is in: alpha, shop_beta)"));
    assert_str_equal(scene_found("a")->hint, S("docker network connect alpha portico"));
    scene_end();
}

TEST(an_address_that_answers_is_served_whatever_networks_are_shared)
{
    scene_begin();
    be_in("front", NULL);
    scene_ports(PORT_OPEN);
    with_two(NO_LABELS);
    scene_discover();
    assert_string_equal(scene_servers("a"), "http://10.1.0.2:80");
    assert_false(scene_found("a")->mistake);
    scene_end();
}

TEST(addresses_are_version_4_before_version_6)
{
    scene_begin();
    struct container *container = scene_add("a", "fd00::2", PORTS(80), NO_LABELS);
    scene_discover();
    assert_string_equal(scene_servers("a"), "http://[fd00::2]:80");
    scene_end();
    scene_begin();
    container = scene_add("a", "fd00::2", PORTS(80), NO_LABELS);
    container->networks[0].ipv4 = S("10.0.0.2");
    scene_discover();
    assert_string_equal(scene_servers("a"), "http://10.0.0.2:80");
    scene_end();
}

TEST(a_container_on_the_hosts_network_is_on_this_host_or_on_the_engines)
{
    scene_begin();
    scene_add("a", NULL, PORTS(80), NO_LABELS)->network_mode = S("host");
    scene_discover();
    assert_string_equal(scene_servers("a"), "http://127.0.0.1:80");
    scene_end();
    scene_begin();
    be_in("front", NULL);
    scene_ports(PORT_REFUSED);
    scene_add("a", NULL, PORTS(80), NO_LABELS)->network_mode = S("host");
    scene_discover();
    assert_string_equal(scene_servers("a"), "http://host.docker.internal:80");
    assert_str_equal(scene.servers.items[0].address, S(""));
    scene_end();
}

TEST(a_container_that_uses_anothers_network_is_where_that_one_is)
{
    scene_begin();
    struct container *vpn = scene_add("vpn", NULL, NO_PORTS, LABELS("portico.docker.network", "tunnel"));
    scene_network(vpn, "net", "10.0.0.7");
    scene_network(vpn, "tunnel", "10.9.0.7");
    vpn->id = S("0123456789abcdef");
    scene_add("a", NULL, PORTS(80), NO_LABELS)->network_mode = S("container:0123456789abcdef");
    scene_add("b", NULL, PORTS(80), LABELS("traefik.enable", "true"))->network_mode = S("container:ffffffffffffffff");
    scene_discover();
    assert_string_equal(scene_servers("a"), "http://10.9.0.7:80");
    assert_string_equal(scene_servers("b"), "");
    assert_true(scene_found("b")->mistake);
    assert_str_equal(scene_found("b")->reason, S("it uses the network of container ffffffffffff, which is not there"));
    scene_end();
}

TEST(containers_that_use_each_others_network_end_the_search)
{
    scene_begin();
    struct container *a = scene_add("a", NULL, PORTS(80), NO_LABELS), *b = scene_add("b", NULL, PORTS(80), NO_LABELS);
    a->id = S("aaaaaaaaaaaaaaaa");
    b->id = S("bbbbbbbbbbbbbbbb");
    a->network_mode = S("container:bbbbbbbbbbbbbbbb");
    b->network_mode = S("container:aaaaaaaaaaaaaaaa");
    scene_discover();
    assert_string_equal(scene_servers("a"), "");
    scene_end();
}

TEST(a_container_without_an_address_is_reached_where_its_port_is_published)
{
    struct container_binding binding = {.port = 80, .host_port = 8888};
    scene_begin();
    struct container *container = scene_add("a", NULL, PORTS(80), NO_LABELS);
    container->bindings = &binding;
    container->binding_count = 1;
    scene_add("b", NULL, PORTS(80), NO_LABELS);
    scene_discover();
    assert_string_equal(scene_servers("a"), "http://127.0.0.1:8888");
    assert_string_equal(scene_servers("b"), "");
    assert_str_equal(scene_found("b")->reason, S("it has no address in any network"));
    scene_end();
}

TEST(swarms_ingress_network_is_the_last_resort)
{
    scene_begin();
    struct container *container = scene_add("a", NULL, PORTS(80), NO_LABELS);
    scene_network(container, "ingress", "10.255.0.2");
    scene_network(container, "shop", "10.2.0.2");
    scene_discover();
    assert_string_equal(scene_servers("a"), "http://10.2.0.2:80");
    scene_end();
}
