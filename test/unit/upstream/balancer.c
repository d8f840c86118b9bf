#include "test.h"

#include <stdio.h>

#include <stdlib.h>

#include "base/time.h"
#include "upstream/balancer.h"

#define TARGETS_MAX 8

/* A load balancer's balancer, without the load balancer. */
struct bench {
    struct target items[TARGETS_MAX];
    struct target_set targets;
    const struct balancer_type *type;
    void *state;
    struct ip client;
    struct pick pick;
    unsigned counts[TARGETS_MAX];
};

static void bench_init(struct bench *bench, const char *balancer, const uint32_t *weights, unsigned count)
{
    memset(bench, 0, sizeof(*bench));
    bench->type = balancer_find(str_from(balancer));
    assert_non_null(bench->type);
    for (unsigned i = 0; i < count; i++) {
        char url[32];
        snprintf(url, sizeof(url), "http://10.0.0.%u:80", i + 1);
        bench->items[i] = (struct target){.server = server_get(S("bench@test"), str_from(url)), .weight = weights[i]};
    }
    bench->targets = (struct target_set){.items = bench->items, .count = count};
    bench->state = calloc(1, balancer_state_size(bench->type, &bench->targets) + 1);
    balancer_init(bench->type, bench->state, &bench->targets, 1);
    bench->pick = (struct pick){.targets = &bench->targets, .client = &bench->client, .now = 1000 * TIME_S};
}

static void bench_release(struct bench *bench)
{
    for (unsigned i = 0; i < bench->targets.count; i++)
        server_unref(bench->items[i].server);
    free(bench->state);
}

static int choose(struct bench *bench)
{
    return bench->type->choose(bench->state, &bench->pick);
}

static void choose_often(struct bench *bench, unsigned times)
{
    memset(bench->counts, 0, sizeof(bench->counts));
    for (unsigned i = 0; i < times; i++) {
        int index = choose(bench);
        assert_in_range(index, 0, bench->targets.count - 1);
        bench->counts[index]++;
    }
}

static void set_client(struct bench *bench, unsigned number)
{
    bench->client = (struct ip){.bytes = {[10] = 0xff, [11] = 0xff, [12] = 10, [13] = (uint8_t)(number >> 16),
                                          [14] = (uint8_t)(number >> 8), [15] = (uint8_t)number}};
}

#define WEIGHTS(...) ((const uint32_t[]){__VA_ARGS__}), sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t)
#define EVERY_BALANCER(it) \
    for (const struct option_name *it = balancer_names; it->name != NULL; it++)

TEST(balancers_are_found_by_name_and_listed_in_order)
{
    static const char *const names[] = {"consistentHash", "hash", "hrw", "ipHash", "leastConn", "leasttime", "p2c", "random", "wrr"};
    for (size_t i = 0; i < 9; i++) {
        assert_string_equal(balancer_names[i].name, names[i]);
        assert_ptr_equal(balancer_at(balancer_names[i].value), balancer_find(str_from(names[i])));
    }
    assert_null(balancer_names[9].name);
    assert_ptr_equal(balancer_find(S("LEASTCONN")), balancer_find(S("leastConn")));
    assert_null(balancer_find(S("wrrr")));
}

TEST(every_balancer_passes_over_what_is_not_open)
{
    EVERY_BALANCER(it) {
        struct bench bench;
        bench_init(&bench, it->name, WEIGHTS(1, 1, 0, 1, 1, 1));
        atomic_store(&bench.items[0].server->healthy, false);
        bench.pick.tried = 1 << 1;
        atomic_store(&bench.items[3].server->ejected_until, bench.pick.now + 1);
        bench.items[4].draining = true;
        for (unsigned i = 0; i < 200; i++) {
            set_client(&bench, i);
            assert_int_equal(choose(&bench), 5);
        }
        bench_release(&bench);
    }
}

TEST(every_balancer_gives_none_when_nobody_is_open)
{
    EVERY_BALANCER(it) {
        struct bench bench;
        bench_init(&bench, it->name, WEIGHTS(1, 1));
        bench.pick.tried = 3;
        assert_int_equal(choose(&bench), -1);
        bench.targets.count = 0;
        assert_int_equal(choose(&bench), -1);
        bench.targets.count = 2;
        bench_release(&bench);
    }
}

TEST(every_balancer_takes_the_ejected_in_panic_but_not_the_unhealthy)
{
    EVERY_BALANCER(it) {
        struct bench bench;
        bench_init(&bench, it->name, WEIGHTS(1, 1));
        atomic_store(&bench.items[0].server->ejected_until, bench.pick.now + 1);
        atomic_store(&bench.items[1].server->healthy, false);
        assert_int_equal(choose(&bench), -1);
        bench.pick.panic = true;
        assert_int_equal(choose(&bench), 0);
        bench_release(&bench);
    }
}

TEST(every_balancer_obeys_orders_instead_of_the_configuration)
{
    EVERY_BALANCER(it) {
        struct bench bench;
        bench_init(&bench, it->name, WEIGHTS(1, 1, 1, 0));
        server_order(bench.items[0].server, SERVER_DRAINING);
        server_order(bench.items[1].server, SERVER_DOWN);
        server_order_weight(bench.items[2].server, 0);
        bench.items[3].draining = true;
        server_order(bench.items[3].server, SERVER_READY);
        assert_int_equal(choose(&bench), -1);
        bench.pick.panic = true;
        assert_int_equal(choose(&bench), -1);
        bench.pick.panic = false;
        server_order_weight(bench.items[3].server, 7);
        for (unsigned i = 0; i < 200; i++) {
            set_client(&bench, i);
            assert_int_equal(choose(&bench), 3);
        }
        server_order(bench.items[3].server, SERVER_AS_CONFIGURED);
        assert_int_equal(choose(&bench), -1);
        server_order(bench.items[1].server, SERVER_AS_CONFIGURED);
        assert_int_equal(choose(&bench), 1);
        bench_release(&bench);
    }
}

TEST(every_balancer_follows_an_ordered_weight)
{
    EVERY_BALANCER(it) {
        struct bench bench;
        bench_init(&bench, it->name, WEIGHTS(1, 1));
        server_order_weight(bench.items[0].server, 9);
        unsigned counts[2] = {0};
        for (unsigned i = 0; i < 4000; i++) {
            set_client(&bench, i * 2654435761u);
            int index = choose(&bench);
            /* Balancers that look at load: a request ends when its server has had ten times its weight at once. */
            counts[index]++;
            struct server *server = bench.items[index].server;
            if (atomic_fetch_add(&server->active, 1) >= (index == 0 ? 90u : 10u))
                atomic_store(&server->active, 0);
        }
        if (counts[0] < counts[1] * 4)
            fail_msg("%s: %u and %u", it->name, counts[0], counts[1]);
        bench_release(&bench);
    }
}

TEST(slow_start_grows_to_the_ordered_weight)
{
    struct bench bench;
    bench_init(&bench, "wrr", WEIGHTS(1, 1));
    bench.targets.slow_start = 10 * TIME_S;
    server_order_weight(bench.items[0].server, 100);
    assert_int_equal(target_weight(&bench.pick, 0), 25600);
    atomic_store(&bench.items[0].server->ready_since, bench.pick.now - 5 * TIME_S);
    assert_int_equal(target_weight(&bench.pick, 0), 12800);
    server_order_weight(bench.items[0].server, 0);
    assert_true(target_weight(&bench.pick, 0) > 0);
    bench_release(&bench);
}

TEST(wrr_gives_each_server_its_weight_in_every_round)
{
    struct bench bench;
    bench_init(&bench, "wrr", WEIGHTS(5, 1, 1));
    for (unsigned round = 0; round < 10; round++) {
        choose_often(&bench, 7);
        assert_int_equal(bench.counts[0], 5);
        assert_int_equal(bench.counts[1], 1);
        assert_int_equal(bench.counts[2], 1);
    }
    bench_release(&bench);
}

TEST(wrr_spreads_a_heavy_server_between_the_others)
{
    struct bench bench;
    bench_init(&bench, "wrr", WEIGHTS(5, 1, 1));
    unsigned longest = 0, run = 0;
    for (unsigned i = 0; i < 70; i++) {
        run = choose(&bench) == 0 ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    assert_in_range(longest, 2, 4);     /* a burst of five would show as 5 */
    bench_release(&bench);
}

TEST(wrr_alternates_between_equals)
{
    struct bench bench;
    bench_init(&bench, "wrr", WEIGHTS(1, 1, 1));
    int order[3] = {choose(&bench), choose(&bench), choose(&bench)};
    assert_true(order[0] != order[1] && order[1] != order[2] && order[0] != order[2]);
    for (unsigned i = 0; i < 30; i++)
        assert_int_equal(choose(&bench), order[i % 3]);
    bench_release(&bench);
}

TEST(random_follows_the_weights)
{
    struct bench bench;
    bench_init(&bench, "random", WEIGHTS(3, 1));
    choose_often(&bench, 20000);
    assert_in_range(bench.counts[0], 14400, 15600);     /* 15000, ten standard deviations each way */
    bench_release(&bench);
}

TEST(p2c_never_gives_the_busiest_of_three)
{
    struct bench bench;
    bench_init(&bench, "p2c", WEIGHTS(1, 1, 1));
    atomic_store(&bench.items[1].server->active, 5);
    choose_often(&bench, 3000);
    assert_int_equal(bench.counts[1], 0);
    assert_in_range(bench.counts[0], 1200, 1800);
    assert_in_range(bench.counts[2], 1200, 1800);
    bench_release(&bench);
}

TEST(p2c_weighs_the_load)
{
    struct bench bench;
    bench_init(&bench, "p2c", WEIGHTS(10, 1));
    atomic_store(&bench.items[0].server->active, 4);
    choose_often(&bench, 100);
    assert_int_equal(bench.counts[0], 100);
    atomic_store(&bench.items[0].server->active, 40);
    choose_often(&bench, 100);
    assert_int_equal(bench.counts[1], 100);
    bench_release(&bench);
}

TEST(least_conn_gives_the_least_busy_for_its_weight)
{
    struct bench bench;
    bench_init(&bench, "leastConn", WEIGHTS(1, 4, 1));
    atomic_store(&bench.items[0].server->active, 2);
    atomic_store(&bench.items[1].server->active, 3);
    atomic_store(&bench.items[2].server->active, 1);
    choose_often(&bench, 50);
    assert_int_equal(bench.counts[1], 50);
    bench_release(&bench);
}

TEST(least_conn_lets_equals_take_turns_by_weight)
{
    struct bench bench;
    bench_init(&bench, "leastConn", WEIGHTS(2, 1, 1));
    atomic_store(&bench.items[2].server->active, 1);
    choose_often(&bench, 30);
    assert_int_equal(bench.counts[0], 20);
    assert_int_equal(bench.counts[1], 10);
    bench_release(&bench);
}

static void set_measure(struct bench *bench, unsigned index, int64_t expected)
{
    atomic_store(&bench->items[index].server->response_ewma, expected);
    atomic_store(&bench->items[index].server->measured_at, bench->pick.now);
}

TEST(leasttime_gives_the_quickest_for_its_load_and_weight)
{
    struct bench bench;
    bench_init(&bench, "leasttime", WEIGHTS(1, 1, 3));
    set_measure(&bench, 0, 10 * TIME_MS);
    set_measure(&bench, 1, 15 * TIME_MS);
    set_measure(&bench, 2, 40 * TIME_MS);
    assert_int_equal(choose(&bench), 0);
    atomic_store(&bench.items[0].server->active, 1);         /* 20, 15, 13.3 */
    assert_int_equal(choose(&bench), 2);
    atomic_store(&bench.items[2].server->active, 1);         /* 20, 15, 26.7 */
    assert_int_equal(choose(&bench), 1);
    bench_release(&bench);
}

TEST(leasttime_tries_an_unknown_server_without_flooding_it)
{
    struct bench bench;
    bench_init(&bench, "leasttime", WEIGHTS(1, 1));
    set_measure(&bench, 0, 10 * TIME_MS);
    atomic_store(&bench.items[0].server->active, 1);
    assert_int_equal(choose(&bench), 1);
    atomic_store(&bench.items[1].server->active, 2);
    assert_int_equal(choose(&bench), 0);
    bench_release(&bench);
}

TEST(hrw_keeps_a_client_at_its_server)
{
    struct bench bench;
    bench_init(&bench, "hrw", WEIGHTS(1, 1, 1));
    for (unsigned client = 0; client < 100; client++) {
        set_client(&bench, client);
        int first = choose(&bench);
        for (unsigned i = 0; i < 5; i++)
            assert_int_equal(choose(&bench), first);
    }
    bench_release(&bench);
}

TEST(hrw_moves_only_the_clients_of_a_server_that_leaves)
{
    struct bench bench;
    bench_init(&bench, "hrw", WEIGHTS(1, 1, 1, 1));
    int before[1000];
    for (unsigned client = 0; client < 1000; client++) {
        set_client(&bench, client);
        before[client] = choose(&bench);
    }
    atomic_store(&bench.items[2].server->healthy, false);
    unsigned moved[TARGETS_MAX] = {0};
    for (unsigned client = 0; client < 1000; client++) {
        set_client(&bench, client);
        int now = choose(&bench);
        assert_int_not_equal(now, 2);
        if (before[client] != 2)
            assert_int_equal(now, before[client]);
        else
            moved[now]++;
    }
    assert_true(moved[0] > 40 && moved[1] > 40 && moved[3] > 40);
    bench_release(&bench);
}

TEST(hrw_spreads_clients_by_weight)
{
    struct bench bench;
    bench_init(&bench, "hrw", WEIGHTS(1, 3));
    unsigned heavy = 0;
    for (unsigned client = 0; client < 8000; client++) {
        set_client(&bench, client);
        heavy += choose(&bench) == 1;
    }
    assert_in_range(heavy, 5700, 6300);
    bench_release(&bench);
}

TEST(slow_start_lets_a_weight_grow_from_a_tenth)
{
    struct bench bench;
    bench_init(&bench, "wrr", WEIGHTS(10, 10));
    struct server *fresh = bench.items[0].server;
    bench.targets.slow_start = 100 * TIME_S;
    assert_int_equal(target_weight(&bench.pick, 0), 2560);
    atomic_store(&fresh->ready_since, bench.pick.now);
    assert_int_equal(target_weight(&bench.pick, 0), 256);
    atomic_store(&fresh->ready_since, bench.pick.now - 50 * TIME_S);
    assert_int_equal(target_weight(&bench.pick, 0), 1280);
    atomic_store(&fresh->ready_since, bench.pick.now - 100 * TIME_S);
    assert_int_equal(target_weight(&bench.pick, 0), 2560);
    atomic_store(&fresh->ready_since, bench.pick.now);
    choose_often(&bench, 110);
    assert_in_range(bench.counts[0], 9, 11);
    bench_release(&bench);
}

static int choose_for(struct bench *bench, const char *key)
{
    bench->pick.key = str_from(key);
    return choose(bench);
}

TEST(hash_spreads_keys_as_memcached_clients_do)
{
    struct bench bench;
    bench_init(&bench, "hash", WEIGHTS(1, 1, 1));
    /* (CRC-32("a") >> 16 & 0x7fff) % 3: e8b7be43 -> 68b7 -> 26807 % 3. */
    assert_int_equal(choose_for(&bench, "a"), 26807 % 3);
    /* The second draw adds that of "1a". */
    bench.pick.tried = UINT64_C(1) << (26807 % 3);
    int second = choose_for(&bench, "a");
    assert_int_not_equal(second, 26807 % 3);
    assert_int_equal(choose_for(&bench, "a"), second);
    bench_release(&bench);
}

TEST(hashes_without_a_key_go_in_turn)
{
    struct bench bench;
    bench_init(&bench, "consistentHash", WEIGHTS(1, 1, 1));
    choose_often(&bench, 9);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(bench.counts[i], 3);
    bench_release(&bench);
}

TEST(a_consistent_hash_moves_only_the_keys_of_a_server_that_leaves)
{
    struct bench bench;
    bench_init(&bench, "consistentHash", WEIGHTS(1, 1, 2, 1));
    unsigned counts[4] = {0};
    for (unsigned i = 0; i < 1000; i++) {
        char key[16];
        snprintf(key, sizeof(key), "/%u", i);
        bench.pick.tried = 0;
        int before = choose_for(&bench, key);
        counts[before]++;
        bench.pick.tried = 2;
        int after = choose_for(&bench, key);
        assert_true(before == 1 ? after != 1 : after == before);
    }
    assert_in_range(counts[0], 120, 280);
    assert_in_range(counts[2], 280, 520);
    bench_release(&bench);
}

TEST(ip_hash_knows_a_client_by_its_network)
{
    struct bench bench;
    bench_init(&bench, "ipHash", WEIGHTS(1, 1, 1));
    unsigned seen = 0;
    for (unsigned network = 0; network < 64; network++) {
        set_client(&bench, network << 8 | 1);
        int first = choose(&bench);
        seen |= 1U << first;
        set_client(&bench, network << 8 | 200);
        assert_int_equal(choose(&bench), first);
    }
    assert_int_equal(seen, 7);
    bench_release(&bench);
}

TEST(a_tier_is_asked_alone_and_a_full_server_is_passed_over)
{
    EVERY_BALANCER(it) {
        struct bench bench;
        bench_init(&bench, it->name, WEIGHTS(1, 1, 1));
        bench.items[2].tier = 1;
        bench.items[0].max_active = 2;
        server_weigh(bench.items[0].server);
        assert_true(server_begin(bench.items[0].server, 0));
        assert_true(server_begin(bench.items[0].server, 1));
        for (unsigned i = 0; i < 10; i++)
            assert_int_equal(choose(&bench), 1);
        bench.items[1].down = true;
        assert_int_equal(choose(&bench), -1);
        bench.pick.tier = 1;
        assert_int_equal(choose(&bench), 2);
        server_end(bench.items[0].server, 0, true);
        server_end(bench.items[0].server, 1, true);
        bench_release(&bench);
    }
}

TEST(the_first_worker_goes_through_the_servers_in_their_order)
{
    struct bench bench;
    bench_init(&bench, "wrr", WEIGHTS(5, 1, 1));
    memset(bench.state, 0, balancer_state_size(bench.type, &bench.targets));
    balancer_init(bench.type, bench.state, &bench.targets, 0);
    static const int order[] = {0, 0, 1, 0, 2, 0, 0};
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(choose(&bench), order[i]);
    bench_release(&bench);
}
