/* Rosters whose names a name server of our own answers for; the test's loop is the control thread's. */
#include "service/roster.h"

#include <stdio.h>

#include "base/time.h"
#include "net/name_server.h"
#include "test.h"
#include "upstream/name_watch.h"

#define WORKER 0

struct rig {
    struct loop loop;
    struct name_server server;
    struct roster_rule rule;
    struct roster_name name;
    struct roster_entry entries[3];
    struct roster_source *source;
    struct worker worker;
    struct exchange x;
};

static struct rig rig;
static unsigned changes;

static void count_change(void)
{
    changes++;
}

static const struct name_record shop[] = {
    {"shop.test", RECORD_A, 1, .text = "10.0.0.1"},
    {"shop.test", RECORD_A, 1, .text = "10.0.0.2"},
};

static void turn_until(bool (*is_so)(unsigned number), unsigned number)
{
    for (unsigned turns = 0; !is_so(number) && turns < 10000; turns++)
        loop_turn(&rig.loop, 5 * TIME_MS);
    assert_true(is_so(number));
}

static bool has_changed(unsigned times)
{
    return changes >= times;
}

static bool has_asked(unsigned times)
{
    return rig.server.asked_udp >= (int)times;
}

static void begin(void)
{
    memset(&rig, 0, sizeof(rig));
    changes = 0;
    assert_true(loop_init(&rig.loop));
    name_server_start(&rig.server, &rig.loop);
    SERVES(&rig.server, shop);
    name_watches_start(&rig.loop);
    roster_on_change = count_change;
    rig.rule = (struct roster_rule){.balancer = balancer_find(S("wrr")), .service = S("roster@test"), .workers = 1};
    rig.name = (struct roster_name){.model = {.weight = 1},
                                    .rule = {.servers = str_from(rig.server.address), .timeout = TIME_S, .no_v6 = true, .valid = 1},
                                    .url = S("http://shop.test:8000")};
    rig.x.worker = &rig.worker;
    arena_init(&rig.x.arena, ARENA_UNLIMITED);
}

/* The first answer is there when it returns. */
static void begin_source(unsigned count)
{
    rig.source = roster_source_new(&rig.rule, rig.entries, count);
    turn_until(has_changed, 1);
}

static void begin_watching(void)
{
    rig.entries[0].name = &rig.name;
    begin_source(1);
}

static void end_exchange(void)
{
    for (struct keepsake *it = rig.x.kept, *next; it != NULL; it = next) {
        next = it->next;
        it->release(it);
    }
    rig.x.kept = NULL;
}

static void end(void)
{
    end_exchange();
    arena_release(&rig.x.arena);
    roster_source_end(rig.source);
    loop_turn(&rig.loop, 0);
    name_watches_stop();
    roster_on_change = NULL;
    name_server_stop(&rig.server);
    loop_release(&rig.loop);
    assert_int_equal(server_slot_count(), 0);
}

/* Each target's server in order: "10.0.0.1:8000 10.0.0.2:8000"; weights and tiers behind those that have other ones. */
static const char *shown(const struct roster *roster)
{
    static char text[1024];
    size_t used = 0;
    text[0] = 0;
    for (unsigned i = 0; i < roster->targets.count; i++) {
        const struct target *target = &roster->targets.items[i];
        struct str url = target->server->url;
        assert_true(str_starts(url, S("http://")));
        url = str_of(url.data + 7, url.len - 7);
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.*s", i != 0 ? " " : "", STR_ARGS(url));
        if (target->weight != 1 || target->tier != 0)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "*%u/%u", target->weight, target->tier);
    }
    return text;
}

static struct roster *now(void)
{
    return roster_now(rig.source, WORKER);
}

/* What DNS says now is known when it returns. */
static void let_it_look(void)
{
    unsigned asked = (unsigned)rig.server.asked_udp;
    loop_turn(&rig.loop, 0);
    loop_hurry(&rig.loop);
    turn_until(has_asked, asked + 1);
    for (unsigned i = 0; i < 3; i++)
        loop_turn(&rig.loop, 5 * TIME_MS);
}

TEST(roster_has_a_server_for_each_address_of_a_name)
{
    begin();
    begin_watching();
    assert_string_equal(shown(now()), "10.0.0.1:8000 10.0.0.2:8000");
    assert_str_equal(now()->targets.items[0].server->authority, S("shop.test:8000"));
    assert_int_equal(changes, 1);
    end();
}

TEST(roster_of_a_name_that_is_not_known_yet_is_empty)
{
    begin();
    rig.entries[0].name = &rig.name;
    rig.source = roster_source_new(&rig.rule, rig.entries, 1);
    assert_int_equal(now()->targets.count, 0);
    struct roster *empty = now();
    turn_until(has_changed, 1);
    assert_ptr_not_equal(now(), empty);
    assert_int_equal(now()->targets.count, 2);
    end();
}

TEST(roster_begins_with_what_another_one_knows_already)
{
    begin();
    begin_watching();
    struct roster_source *second = roster_source_new(&rig.rule, rig.entries, 1);
    assert_string_equal(shown(roster_now(second, WORKER)), "10.0.0.1:8000 10.0.0.2:8000");
    /* The same servers, so their state is one. */
    assert_ptr_equal(roster_now(second, WORKER)->targets.items[0].server, now()->targets.items[0].server);
    roster_source_end(second);
    end();
}

TEST(roster_keeps_a_server_whose_address_stays_while_others_come_and_go)
{
    static const struct name_record later[] = {
        {"shop.test", RECORD_A, 1, .text = "10.0.0.2"},
        {"shop.test", RECORD_A, 1, .text = "10.0.0.3"},
    };
    begin();
    begin_watching();
    struct server *stays = now()->targets.items[1].server;
    atomic_store(&stays->healthy, false);
    SERVES(&rig.server, later);
    let_it_look();
    assert_int_equal(changes, 2);
    assert_string_equal(shown(now()), "10.0.0.2:8000 10.0.0.3:8000");
    assert_ptr_equal(now()->targets.items[0].server, stays);
    assert_false(atomic_load(&stays->healthy));
    /* One that joins others starts slowly; those others go on. */
    assert_int_equal(atomic_load(&stays->ready_since), 0);
    assert_true(atomic_load(&now()->targets.items[1].server->ready_since) != 0);
    end();
}

TEST(roster_is_the_same_while_dns_says_the_same_in_another_order)
{
    static const struct name_record turned[] = {
        {"shop.test", RECORD_A, 1, .text = "10.0.0.2"},
        {"shop.test", RECORD_A, 1, .text = "10.0.0.1"},
    };
    begin();
    begin_watching();
    struct roster *before = now();
    SERVES(&rig.server, turned);
    let_it_look();
    assert_int_equal(changes, 1);
    assert_ptr_equal(now(), before);
    end();
}

TEST(roster_keeps_its_servers_while_nobody_answers_and_loses_them_when_there_are_none)
{
    begin();
    begin_watching();
    rig.server.fails = true;
    let_it_look();
    assert_string_equal(shown(now()), "10.0.0.1:8000 10.0.0.2:8000");
    rig.server.fails = false;
    rig.server.unknown = true;
    let_it_look();
    assert_int_equal(now()->targets.count, 0);
    rig.server.unknown = false;
    rig.loop.now += 2 * TIME_S;      /* that there is none is known for a moment */
    loop_hurry(&rig.loop);
    for (unsigned turns = 0; changes < 3 && turns < 3000; turns++, loop_hurry(&rig.loop))
        loop_turn(&rig.loop, 5 * TIME_MS);
    assert_string_equal(shown(now()), "10.0.0.1:8000 10.0.0.2:8000");
    end();
}

static const struct name_record service[] = {
    {"_http._tcp.shop.test", RECORD_SRV, 1, .text = "a.test", .priority = 20, .weight = 5, .port = 81},
    {"_http._tcp.shop.test", RECORD_SRV, 1, .text = "b.test", .priority = 10, .weight = 3, .port = 82},
    {"_http._tcp.shop.test", RECORD_SRV, 1, .text = "c.test", .priority = 10, .weight = 0, .port = 83},
    {"_http._tcp.shop.test", RECORD_SRV, 1, .text = "c.test", .priority = 30, .weight = 1, .port = 84},
    {"a.test", RECORD_A, 1, .text = "10.0.0.1"},
    {"b.test", RECORD_A, 1, .text = "10.0.0.2"},
    {"c.test", RECORD_A, 1, .text = "10.0.0.3"},
};

TEST(roster_of_a_service_weighs_its_records_and_lets_all_but_the_first_priority_stand_by)
{
    begin();
    SERVES(&rig.server, service);
    rig.name.service = S("http");
    rig.name.url = S("http://shop.test");
    begin_watching();
    assert_string_equal(shown(now()), "10.0.0.1:81*5/1 10.0.0.2:82*3/0 10.0.0.3:83 10.0.0.3:84*1/1");
    assert_int_equal(now()->targets.tiers, 2);
    /* Those of the first priority go: the next ones serve. */
    SERVES(&rig.server, ((const struct name_record[]){service[0], service[3], service[4], service[6]}));
    let_it_look();
    turn_until(has_changed, 2);
    assert_string_equal(shown(now()), "10.0.0.1:81*5/0 10.0.0.3:84*1/1");
    end();
}

TEST(roster_of_a_service_leaves_weight_and_tier_that_are_configured)
{
    begin();
    SERVES(&rig.server, service);
    rig.name.service = S("http");
    rig.name.url = S("http://shop.test");
    rig.name.model.weight = 7;
    rig.name.model.tier = 1;
    begin_watching();
    assert_string_equal(shown(now()), "10.0.0.1:81*7/1 10.0.0.2:82*7/1 10.0.0.3:83*7/1 10.0.0.3:84*7/1");
    end();
}

TEST(roster_has_targets_beside_names_and_a_place_that_is_named_twice_is_two_servers)
{
    struct roster_name again;
    begin();
    again = rig.name;
    rig.entries[0].target = (struct target){.server = server_get(S("roster@test"), S("http://10.9.9.9:80")), .weight = 1};
    rig.entries[1].name = &rig.name;
    rig.entries[2].name = &again;
    begin_source(3);
    turn_until(has_changed, 2);
    assert_string_equal(shown(now()), "10.9.9.9:80 10.0.0.1:8000 10.0.0.2:8000 10.0.0.1:8000 10.0.0.2:8000");
    const struct target *items = now()->targets.items;
    assert_ptr_equal(items[0].server, rig.entries[0].target.server);
    assert_ptr_not_equal(items[1].server, items[3].server);
    end();
}

TEST(roster_stays_for_a_request_that_has_tried_somebody_and_is_the_present_one_for_others)
{
    static const struct name_record moved[] = {{"shop.test", RECORD_A, 1, .text = "10.0.0.9"}};
    begin();
    begin_watching();
    assert_null(roster_of(&rig.x, rig.source));
    struct roster *first = roster_to_pick_from(&rig.x, rig.source);
    assert_ptr_equal(first, now());
    assert_ptr_equal(roster_of(&rig.x, rig.source), first);
    rig.x.tried = 1;
    SERVES(&rig.server, moved);
    let_it_look();
    assert_string_equal(shown(now()), "10.0.0.9:8000");
    assert_ptr_equal(roster_to_pick_from(&rig.x, rig.source), first);
    assert_string_equal(shown(first), "10.0.0.1:8000 10.0.0.2:8000");
    rig.x.tried = 0;
    assert_ptr_equal(roster_to_pick_from(&rig.x, rig.source), now());
    assert_ptr_equal(roster_of(&rig.x, rig.source), now());
    end_exchange();
    end();
}

TEST(roster_of_an_ended_source_stays_for_the_request_that_picked_from_it)
{
    begin();
    begin_watching();
    struct roster *kept = roster_to_pick_from(&rig.x, rig.source);
    roster_source_end(rig.source);
    assert_string_equal(shown(kept), "10.0.0.1:8000 10.0.0.2:8000");
    loop_turn(&rig.loop, 0);
    loop_hurry(&rig.loop);
    loop_turn(&rig.loop, 0);
    assert_int_equal(changes, 1);
    assert_string_equal(shown(kept), "10.0.0.1:8000 10.0.0.2:8000");
    end_exchange();
    rig.source = roster_source_new(&rig.rule, NULL, 0);
    end();
}

TEST(roster_of_each_worker_is_taken_up_by_itself)
{
    static const struct name_record moved[] = {{"shop.test", RECORD_A, 1, .text = "10.0.0.9"}};
    begin();
    begin_watching();
    struct roster *of_worker = now(), *of_control = roster_now(rig.source, 1);
    assert_ptr_equal(of_worker, of_control);
    SERVES(&rig.server, moved);
    let_it_look();
    assert_string_equal(shown(roster_now(rig.source, 1)), "10.0.0.9:8000");
    /* The worker has not looked: what it looked at last is still there. */
    assert_string_equal(shown(of_worker), "10.0.0.1:8000 10.0.0.2:8000");
    assert_string_equal(shown(now()), "10.0.0.9:8000");
    end();
}
