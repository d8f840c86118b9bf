#include "route/host_kind.h"

#include "test.h"

TEST(names_that_a_public_authority_can_know_are_public)
{
    static const char *const names[] = {"a.example", "www.some-shop.de", "*.a.example", "xn--bcher-kva.example",
                                        "a.example.", "localhost.example", "notlocalhost.net", "mylocal.com"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(host_kind(str_from(names[i])), HOST_PUBLIC);
}

TEST(names_without_a_dot_and_reserved_ones_are_local)
{
    static const char *const names[] = {"localhost", "a.localhost", "*.localhost", "printer",   "nas.local", "x.internal",
                                        "h.home.arpa", "app.test",  "box.lan",     "localhost.", "a.b.intranet"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(host_kind(str_from(names[i])), HOST_LOCAL);
}

TEST(addresses_are_told_from_names_and_private_ones_from_public_ones)
{
    assert_int_equal(host_kind(S("127.0.0.1")), HOST_LOCAL_ADDRESS);
    assert_int_equal(host_kind(S("192.168.1.9")), HOST_LOCAL_ADDRESS);
    assert_int_equal(host_kind(S("[::1]")), HOST_LOCAL_ADDRESS);
    assert_int_equal(host_kind(S("fd00::9")), HOST_LOCAL_ADDRESS);
    assert_int_equal(host_kind(S("172.32.0.1")), HOST_PUBLIC_ADDRESS);
    assert_int_equal(host_kind(S("9.9.9.9")), HOST_PUBLIC_ADDRESS);
    assert_int_equal(host_kind(S("2620:fe::fe")), HOST_PUBLIC_ADDRESS);
}

TEST(what_is_no_name_is_nobodys)
{
    static const char *const names[] = {"", "*", "*.", "a..b", "-a.example", "a b.example", "a.*.example", "."};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(host_kind(str_from(names[i])), HOST_NONE);
}
