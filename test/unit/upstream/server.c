#include "test.h"

#include "base/time.h"
#include "upstream/server.h"

#define SERVICE S("unit@test")

TEST(server_with_the_same_service_and_url_is_the_same_server)
{
    struct server *a = server_get(SERVICE, S("http://10.0.0.1:80")), *b = server_get(SERVICE, S("http://10.0.0.1:80/"));
    struct server *other = server_get(S("other@test"), S("http://10.0.0.1:80"));
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, other);
    assert_int_not_equal(a->slot, other->slot);
    assert_true(a->id_hash == other->id_hash);
    server_unref(a);
    assert_str_equal(b->url, S("http://10.0.0.1:80"));
    server_unref(b);
    server_unref(other);
}

TEST(server_is_forgotten_with_its_last_reference_and_its_slot_used_again)
{
    struct server *first = server_get(SERVICE, S("http://10.0.0.1")), *second = server_get(SERVICE, S("http://10.0.0.2"));
    unsigned slot = first->slot;
    uint64_t serial = first->serial;
    atomic_store(&first->healthy, false);
    server_unref(server_ref(first));
    server_unref(first);
    struct server *again = server_get(SERVICE, S("http://10.0.0.1"));
    assert_int_equal(again->slot, slot);
    assert_true(again->serial > serial);
    assert_true(server_is_ready(again, 1));
    server_unref(again);
    server_unref(second);
    assert_int_equal(server_slot_count(), 0);
}

TEST(server_with_a_bad_url_is_not_made)
{
    assert_null(server_get(SERVICE, S("ftp://a")));
    assert_int_equal(server_slot_count(), 0);
}

TEST(server_of_a_literal_or_a_socket_has_its_address_at_once)
{
    struct server *v4 = server_get(SERVICE, S("http://10.0.0.1:81")), *un = server_get(SERVICE, S("unix:/run/x.sock"));
    struct server *named = server_get(SERVICE, S("http://backend:81"));
    struct addr addr;
    assert_true(server_next_address(v4, &addr));
    assert_int_equal(addr_port(&addr), 81);
    assert_true(server_next_address(un, &addr));
    assert_int_equal(addr.any.sa_family, AF_UNIX);
    assert_false(v4->named || un->named);
    assert_true(named->named);
    assert_false(server_next_address(named, &addr));
    server_unref(v4);
    server_unref(un);
    server_unref(named);
}

static unsigned last_byte(struct server *server)
{
    struct addr addr;
    assert_true(server_next_address(server, &addr));
    struct ip ip = addr_ip(&addr);
    return ip.bytes[15];
}

static void set_addresses(struct server *server, const char *const *texts, size_t count)
{
    struct ip ips[4];
    for (size_t i = 0; i < count; i++)
        assert_true(ip_parse(str_from(texts[i]), &ips[i]));
    server_set_addresses(server, ips, count);
}

TEST(server_addresses_are_used_in_turn)
{
    struct server *server = server_get(SERVICE, S("http://backend:81"));
    set_addresses(server, (const char *const[]){"10.0.0.1", "10.0.0.2", "10.0.0.3"}, 3);
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 1; i <= 3; i++)
            assert_int_equal(last_byte(server), i);
    server_unref(server);
}

TEST(server_address_that_failed_is_passed_over_while_there_are_others)
{
    struct server *server = server_get(SERVICE, S("http://backend:81"));
    struct addr addr;
    set_addresses(server, (const char *const[]){"10.0.0.1", "10.0.0.2"}, 2);
    assert_true(server_next_address(server, &addr));
    server_address_failed(server, &addr);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(last_byte(server), 2);
    /* A new answer of DNS does not make it good. */
    set_addresses(server, (const char *const[]){"10.0.0.3", "10.0.0.1"}, 2);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(last_byte(server), 3);
    server_address_failed(server, &(struct addr){.len = 0});
    struct addr all[SERVER_ADDRESSES_MAX];
    assert_int_equal(server_addresses(server, all), 2);
    server_address_failed(server, &all[0]);
    assert_int_not_equal(last_byte(server), 0);
    server_unref(server);
}

TEST(server_is_ready_only_when_nothing_speaks_against_it)
{
    struct server *server = server_get(SERVICE, S("http://10.0.0.1"));
    assert_true(server_is_ready(server, 100));
    atomic_store(&server->healthy, false);
    assert_false(server_is_ready(server, 100));
    assert_false(server_takes_sticky(server, 100));
    atomic_store(&server->healthy, true);
    atomic_store(&server->ejected_until, 200);
    assert_false(server_is_ready(server, 199));
    assert_true(server_is_ready(server, 200));
    assert_true(server_is_up(server));
    atomic_store(&server->ejected_until, 0);
    server_order(server, SERVER_DRAINING);
    assert_false(server_is_ready(server, 100));
    assert_true(server_takes_sticky(server, 100));
    server_order(server, SERVER_DOWN);
    assert_false(server_takes_sticky(server, 100));
    server_order(server, SERVER_AS_CONFIGURED);
    assert_true(server_is_ready(server, 100));
    server_unref(server);
}

TEST(server_knows_whether_anything_is_ordered_of_it)
{
    struct server *server = server_get(SERVICE, S("http://10.0.0.1"));
    assert_false(server_is_ordered(server));
    server_order(server, SERVER_READY);
    assert_true(server_is_ordered(server));
    server_order_weight(server, 0);
    server_order(server, SERVER_AS_CONFIGURED);
    assert_true(server_is_ordered(server));
    server_order_weight(server, -1);
    assert_false(server_is_ordered(server));
    server_unref(server);
}

TEST(server_that_is_taken_back_in_use_starts_slowly)
{
    struct server *server = server_get(SERVICE, S("http://10.0.0.1"));
    server_order(server, SERVER_READY);
    assert_true(atomic_load(&server->ready_since) == 0);
    server_order(server, SERVER_DRAINING);
    assert_true(atomic_load(&server->ready_since) == 0);
    server_order(server, SERVER_AS_CONFIGURED);
    assert_true(atomic_load(&server->ready_since) != 0);
    server_unref(server);
}

TEST(server_stable_hash_is_the_same_in_every_run)
{
    assert_true(server_stable_hash(S("http://10.0.0.1:80")) == UINT64_C(0x85a72559b1082de9));
}

static void *take_and_drop(void *argument)
{
    struct server *server = argument;
    for (unsigned i = 0; i < 20000; i++)
        server_unref(server_ref(server));
    server_unref(server);
    return NULL;
}

TEST(server_references_may_be_dropped_by_any_thread)
{
    struct server *server = server_get(SERVICE, S("http://10.0.0.1"));
    pthread_t threads[3];
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_drop, server_ref(server)), 0);
    server_unref(server);
    for (unsigned i = 0; i < 20000; i++) {
        struct server *again = server_get(SERVICE, S("http://10.0.0.1"));
        assert_int_equal(again->port, 80);
        server_unref(again);
    }
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(server_slot_count(), 0);
}

TEST(server_counts_what_each_worker_has_to_do_there)
{
    struct server *server = server_get(SERVICE, S("http://10.0.0.1"));
    assert_int_equal(server_active(server), 0);
    assert_false(server_begin(server, 0));
    assert_false(server_begin(server, 0));
    assert_false(server_begin(server, 2));
    assert_int_equal(server_active(server), 3);
    assert_int_equal(server_requests(server), 3);
    server_end(server, 0, false);
    assert_int_equal(server_active(server), 2);
    assert_int_equal(server_requests(server), 3);
    assert_int_equal(atomic_load(&server->active), 0);
    server_unref(server);
}

TEST(server_that_becomes_weighed_ends_requests_as_they_began)
{
    struct server *server = server_get(SERVICE, S("http://10.0.0.1"));
    bool before = server_begin(server, 0);
    server_weigh(server);
    bool after = server_begin(server, 1);
    assert_false(before);
    assert_true(after);
    assert_int_equal(atomic_load(&server->active), 1);
    server_end(server, 0, before);
    assert_int_equal(atomic_load(&server->active), 1);
    server_end(server, 1, after);
    assert_int_equal(atomic_load(&server->active), 0);
    assert_int_equal(server_active(server), 0);
    server_unref(server);
}

TEST(server_has_other_meters_when_the_buckets_change_and_its_service_keeps_what_was_counted)
{
    static const struct meter_bounds first = {.count = 1, .ends = {TIME_S}}, second = {.count = 1, .ends = {2 * TIME_S}};
    struct meter_sample sample = {.kind = METER_KIND(200, 1, 0), .duration = 1};
    struct meter *service = meter_get(S("service|unit@test"), 1, &first);
    server_count_by(1, &first);
    struct server *server = server_get(SERVICE, S("http://10.0.0.1"));
    struct meter *before = server->meter;
    meter_count(server->counts, 0, &sample);
    struct meter *known = meter_get(S("server|unit@test|http://10.0.0.1"), 1, &first);
    assert_ptr_equal(known, before);
    meter_unref(known);
    assert_int_equal(meter_total(before), 1);
    assert_ptr_equal(server_get(SERVICE, S("http://10.0.0.1"))->meter, before);
    server_unref(server);
    server_count_by(1, &second);
    server_unref(server_get(SERVICE, S("http://10.0.0.1")));
    assert_ptr_not_equal(server->meter, before);
    meter_count(server->counts, 0, &sample);
    assert_int_equal(meter_total(server->meter), 1);
    server_unref(server);
    assert_int_equal(meter_total(service), 1);
    meter_unref(service);
    server_count_by(0, &second);
}

TEST(server_that_leaves_is_told_by_its_address_in_every_service)
{
    struct server *one = server_get(SERVICE, S("http://10.0.0.1:80")), *based = server_get(S("other@test"), S("http://10.0.0.1:80/app"));
    struct server *other = server_get(SERVICE, S("http://10.0.0.1:81"));
    server_set_leaving(S("http://10.0.0.1:80/"), true);
    assert_true(server_is_leaving(one) && server_is_leaving(based) && server_is_ordered(one));
    assert_false(server_is_leaving(other) || server_is_ordered(other));
    assert_false(server_takes_sticky(one, 1));
    server_set_leaving(S("not a url"), true);
    server_set_leaving(S("http://10.0.0.1:80"), false);
    assert_false(server_is_leaving(one) || server_is_leaving(based) || server_is_ordered(one));
    server_unref(one);
    server_unref(based);
    server_unref(other);
}

TEST(server_that_comes_back_from_leaving_counts_as_new)
{
    struct server *server = server_get(SERVICE, S("http://10.0.0.1:80"));
    server_note_leaving(server, false);
    assert_int_equal(atomic_load(&server->ready_since), 0);
    server_note_leaving(server, true);
    server_note_leaving(server, false);
    assert_true(atomic_load(&server->ready_since) != 0);
    server_unref(server);
}

TEST(connections_to_a_server_that_leaves_count_as_those_of_one_that_is_gone)
{
    server_new_generation(7);
    struct server *server = server_get(SERVICE, S("http://10.0.0.1:80"));
    server_note_leaving(server, true);
    server_new_generation(8);
    server_unref(server_get(SERVICE, S("http://10.0.0.1:80")));
    assert_true(atomic_load(&server->generation) < 7);
    server_note_leaving(server, false);
    assert_int_equal(atomic_load(&server->generation), 8);
    server_unref(server);
    server_new_generation(0);
}
