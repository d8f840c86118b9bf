#include "test.h"

#include "upstream/resolve.h"

TEST(resolve_pause_is_the_ttl_within_bounds)
{
    assert_int_equal(resolve_pause(0, 0), TIME_S);
    assert_int_equal(resolve_pause(0, 30 * TIME_S), 30 * TIME_S);
    assert_int_equal(resolve_pause(0, INT64_MAX), 3600 * TIME_S);
}

TEST(resolve_pause_grows_with_failures_up_to_half_a_minute)
{
    static const int64_t seconds[] = {1, 2, 4, 8, 16, 30, 30};
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(resolve_pause(i + 1, 0), seconds[i] * TIME_S);
    assert_int_equal(resolve_pause(1000000, 0), 30 * TIME_S);
}

static void turn_until_resolved(struct loop *loop, struct server *server)
{
    struct addr addr;
    for (unsigned i = 0; i < 2000 && !server_next_address(server, &addr); i++)
        loop_turn(loop, 5 * TIME_MS);
    assert_true(server_next_address(server, &addr));
    struct ip ip = addr_ip(&addr);
    assert_true(ip_is_loopback(&ip));
    assert_int_equal(addr_port(&addr), 8123);
}

TEST(resolver_finds_the_addresses_of_a_new_server_and_of_those_before_it)
{
    struct loop loop;
    assert_true(loop_init(&loop));
    struct server *before = server_get(S("resolve@test"), S("http://localhost:8123/before"));
    assert_true(resolve_start(&loop));
    struct server *after = server_get(S("resolve@test"), S("http://localhost:8123/after"));
    turn_until_resolved(&loop, before);
    turn_until_resolved(&loop, after);
    server_unref(before);                /* freed by the resolver, on its loop */
    for (unsigned i = 0; i < 3; i++)
        loop_turn(&loop, 0);
    server_unref(after);                 /* its message is delivered after the end */
    resolve_stop();
    loop_turn(&loop, 0);
    loop_release(&loop);
    assert_int_equal(server_slot_count(), 0);
}

TEST(resolver_may_end_while_it_asks)
{
    struct loop loop;
    assert_true(loop_init(&loop));
    assert_true(resolve_start(&loop));
    struct server *kept = server_get(S("resolve@test"), S("http://no-such-name.invalid:8123"));
    struct server *gone = server_get(S("resolve@test"), S("http://neither-this.invalid:8123"));
    server_unref(gone);
    loop_turn(&loop, 0);
    resolve_stop();
    struct addr addr;
    assert_false(server_next_address(kept, &addr));
    server_unref(kept);
    loop_release(&loop);
}
