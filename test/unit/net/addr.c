#include "net/addr.h"

#include <arpa/inet.h>

#include "test.h"

static struct ip ip_of(const char *text)
{
    struct ip ip;
    if (!ip_parse(str_from(text), &ip))
        fail_msg("\"%s\" does not parse", text);
    return ip;
}

TEST(ip_parses_and_formats_both_families)
{
    static const char *const pairs[][2] = {
        {"10.0.0.1", "10.0.0.1"}, {"255.255.255.255", "255.255.255.255"}, {"0.0.0.0", "0.0.0.0"},
        {"192.168.100.9", "192.168.100.9"}, {"::1", "::1"}, {"[::1]", "::1"}, {"[2001:DB8::A]", "2001:db8::a"},
        {"::ffff:10.1.2.3", "10.1.2.3"}, {"::", "::"},
    };
    char out[IP_TEXT_SIZE];
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct ip ip = ip_of(pairs[i][0]);
        assert_int_equal(ip_format(&ip, out), strlen(pairs[i][1]));
        assert_string_equal(out, pairs[i][1]);
    }
}

TEST(ip_refuses_what_is_no_address)
{
    static const char *const bad[] = {"", "[]", "[", "10.0.0", "10.0.0.256", "010.0.0.1", "1.2.3.4.5", "::g", ":", "[10.0.0.1]",
                                      "10.0.0.1:80", "fe80::1%eth0", "host", " 10.0.0.1",
                                      "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"};
    struct ip ip;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (ip_parse(str_from(bad[i]), &ip))
            fail_msg("\"%s\" parses", bad[i]);
    }
    assert_false(ip_parse(str_of("10.0.0.1\0", 9), &ip));
}

TEST(ip_knows_loopback_and_masks)
{
    struct ip v4 = ip_of("127.8.9.1"), v6 = ip_of("::1"), other = ip_of("2001:db8:ffff::1");
    assert_true(ip_is_loopback(&v4));
    assert_true(ip_is_loopback(&v6));
    assert_false(ip_is_loopback(&other));
    struct ip masked = ip_mask(&other, 36), expected = ip_of("2001:db8:f000::");
    assert_true(ip_equal(&masked, &expected));
    masked = ip_mask(&other, 128);
    assert_true(ip_equal(&masked, &other));
    masked = ip_mask(&other, 0);
    expected = ip_of("::");
    assert_true(ip_equal(&masked, &expected));
}

TEST(network_contains_what_its_prefix_says)
{
    static const struct {
        const char *network, *ip;
        bool has;
    } cases[] = {
        {"10.0.0.0/8", "10.255.0.1", true},      {"10.0.0.0/8", "11.0.0.1", false},
        {"10.1.2.3/8", "10.9.9.9", true},        {"192.168.1.1", "192.168.1.1", true},
        {"192.168.1.1", "192.168.1.2", false},   {"172.16.0.0/12", "172.31.255.255", true},
        {"172.16.0.0/12", "172.32.0.0", false},  {"0.0.0.0/0", "1.2.3.4", true},
        {"0.0.0.0/0", "2001:db8::1", false},     {"::/0", "2001:db8::1", true},
        {"::/0", "1.2.3.4", false},              {"fe80::/10", "febf::1", true},
        {"fe80::/10", "fec0::1", false},         {"2001:db8::/64", "2001:db8::ffff", true},
        {"2001:db8::/64", "2001:db8:0:1::", false}, {"2001:db8::8/125", "2001:db8::f", true},
        {"2001:db8::8/125", "2001:db8::10", false}, {"::ffff:10.0.0.0/104", "10.3.3.3", true},
        {"::1", "::1", true},                    {"::1/128", "::2", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct network network;
        struct ip ip = ip_of(cases[i].ip);
        assert_true(network_parse(str_from(cases[i].network), &network));
        if (network_has(&network, &ip) != cases[i].has)
            fail_msg("%s in %s: not %d", cases[i].ip, cases[i].network, cases[i].has);
    }
}

TEST(network_check_says_what_is_wrong_and_where)
{
    size_t offset = 0, length = 0;
    assert_null(network_check(S("10.0.0.0/8"), NULL, &offset, &length));
    assert_null(network_check(S("fd00::/8"), NULL, &offset, &length));
    assert_non_null(strstr(network_check(S("10.0.0.0/33"), NULL, &offset, &length), "0 to 32"));
    assert_int_equal(offset, 9);
    assert_int_equal(length, 2);
    assert_non_null(strstr(network_check(S("fd00::/129"), NULL, &offset, &length), "0 to 128"));
    assert_non_null(network_check(S("10.0.0.0/"), NULL, &offset, &length));
    assert_non_null(network_check(S("10.0.0.0/-1"), NULL, &offset, &length));
    assert_non_null(network_check(S("example.com"), NULL, &offset, &length));
}

TEST(networks_are_searched_whole)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct str texts[] = {STR("10.0.0.0/8"), STR("::1"), STR("192.168.0.0/16")};
    struct networks networks = networks_from(&(struct strs){.items = texts, .count = 3}, &arena);
    struct ip inside = ip_of("192.168.3.4"), outside = ip_of("192.169.3.4");
    assert_int_equal(networks.count, 3);
    assert_true(networks_have(&networks, &inside));
    assert_false(networks_have(&networks, &outside));
    networks = networks_from(&(struct strs){0}, &arena);
    assert_false(networks_have(&networks, &inside));
    arena_release(&arena);
}

TEST(addr_formats_each_family)
{
    struct arena arena;
    struct addr addr;
    arena_init(&arena, ARENA_UNLIMITED);
    struct ip v4 = ip_of("10.0.0.1"), v6 = ip_of("::1");
    addr_from_ip(&v4, 80, &addr);
    assert_int_equal(addr.any.sa_family, AF_INET);
    assert_int_equal(addr.len, sizeof(struct sockaddr_in));
    assert_str_equal(addr_format(&addr, &arena), S("10.0.0.1:80"));
    assert_int_equal(addr_port(&addr), 80);
    struct ip back = addr_ip(&addr);
    assert_true(ip_equal(&back, &v4));
    addr_from_ip(&v6, 65535, &addr);
    assert_str_equal(addr_format(&addr, &arena), S("[::1]:65535"));
    assert_true(addr_unix(S("/run/x.sock"), &addr));
    assert_str_equal(addr_format(&addr, &arena), S("unix:/run/x.sock"));
    assert_int_equal(addr_port(&addr), 0);
    arena_release(&arena);
}

TEST(addr_unix_refuses_paths_that_do_not_fit)
{
    struct addr addr;
    char path[200];
    memset(path, 'p', sizeof(path));
    assert_true(addr_unix(str_of(path, 107), &addr));
    assert_false(addr_unix(str_of(path, 108), &addr));
    assert_false(addr_unix(STR_NONE, &addr));
    assert_false(addr_unix(str_of("a\0b", 3), &addr));
}

TEST(addr_parses_what_entrypoints_listen_on)
{
    static const struct {
        const char *text, *formatted;
        bool udp;
    } cases[] = {
        {":80", "[::]:80", false},
        {"[::]:80", "[::]:80", false},
        {"0.0.0.0:80", "0.0.0.0:80", false},
        {"127.0.0.1:8080", "127.0.0.1:8080", false},
        {"localhost:80", "127.0.0.1:80", false},
        {"[2001:db8::1]:443/tcp", "[2001:db8::1]:443", false},
        {":443/udp", "[::]:443", true},
        {":0", "[::]:0", false},
        {"unix:/run/portico.sock", "unix:/run/portico.sock", false},
    };
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct addr addr;
        bool udp;
        if (!addr_parse_listen(str_from(cases[i].text), &addr, &udp))
            fail_msg("\"%s\" does not parse", cases[i].text);
        assert_str_equal(addr_format(&addr, &arena), str_from(cases[i].formatted));
        assert_int_equal(udp, cases[i].udp);
    }
    arena_release(&arena);
}

TEST(addr_check_listen_points_at_the_fault)
{
    static const struct {
        const char *text, *says;
        size_t offset, length;
    } cases[] = {
        {"80", "has no port", 0, 2},
        {"", "has no port", 99, 99},
        {"127.0.0.1:", "has no port", 0, 10},
        {":99999", "0 to 65535", 1, 5},
        {":http", "0 to 65535", 1, 4},
        {"example.com:80", "neither an IP address nor 'localhost'", 0, 11},
        {"::1:80", "without brackets", 0, 6},
        {"[::1:80", "neither an IP address", 0, 4},
        {":80/sctp", "neither tcp nor udp", 4, 4},
        {":80/", "neither tcp nor udp", 99, 99},
        {"unix:", "socket path", 99, 99},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t offset = 99, length = 99;
        const char *message = addr_check_listen(str_from(cases[i].text), NULL, &offset, &length);
        if (message == NULL || strstr(message, cases[i].says) == NULL)
            fail_msg("\"%s\": %s", cases[i].text, message != NULL ? message : "is accepted");
        assert_int_equal(offset, cases[i].offset);
        assert_int_equal(length, cases[i].length);
    }
}
