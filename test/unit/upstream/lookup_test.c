/* Against a name server of our own, on the loop of the test, whose clock the test moves on. */
#include "upstream/lookup.h"

#include <stdio.h>

#include "base/time.h"
#include "net/name_server.h"
#include "test.h"

struct rig {
    struct loop loop;
    struct name_server server;
    struct lookups *lookups;
    struct lookup_rule rule;
};

/* Who asks, and what it was told. */
struct asker {
    struct lookup lookup;
    struct lookup_answer answer;
    struct lookup_place places[LOOKUP_PLACES_MAX];
    int told;
};

static struct rig rig;

static void begin(unsigned max)
{
    memset(&rig, 0, sizeof(rig));
    assert_true(loop_init(&rig.loop));
    name_server_start(&rig.server, &rig.loop);
    rig.lookups = lookups_new(&rig.loop, max);
    rig.rule = (struct lookup_rule){.servers = str_from(rig.server.address), .timeout = TIME_S, .no_v6 = true};
}

static void end(void)
{
    lookups_free(rig.lookups);
    name_server_stop(&rig.server);
    loop_release(&rig.loop);
}

static void keep(struct asker *asker, const struct lookup_answer *answer)
{
    asker->answer = *answer;
    if (answer->count != 0)
        memcpy(asker->places, answer->places, answer->count * sizeof(*answer->places));
    asker->told++;
}

static void note(struct lookup *lookup, const struct lookup_answer *answer)
{
    keep(container_of(lookup, struct asker, lookup), answer);
}

static enum status ask(struct asker *asker, const char *name, const char *service)
{
    struct lookup_answer answer;
    *asker = (struct asker){.lookup.done = note};
    enum status status = lookup_begin(rig.lookups, &rig.rule, str_from(name), str_from(service), &asker->lookup, &answer);
    if (status == STATUS_OK)
        keep(asker, &answer);
    return status;
}

static void wait_for(struct asker *asker)
{
    for (unsigned turns = 0; asker->told == 0 && turns < 10000; turns++)
        loop_turn(&rig.loop, 5 * TIME_MS);
    assert_int_equal(asker->told, 1);
}

static void find(struct asker *asker, const char *name, const char *service)
{
    assert_int_equal(ask(asker, name, service), STATUS_AGAIN);
    wait_for(asker);
}

/* "10.0.0.1:80 5/1, ...": of a service with priority and weight; in the answer's order, which is resolved by addresses. */
static const char *shown(const struct asker *asker)
{
    static char text[1024];
    size_t used = 0;
    text[0] = 0;
    for (unsigned i = 0; i < asker->answer.count; i++) {
        const struct lookup_place *place = &asker->places[i];
        char ip[IP_TEXT_SIZE];
        int length = (int)ip_format(&place->ip, ip);
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.*s", i != 0 ? ", " : "", length, ip);
        if (place->port != 0)
            used += (size_t)snprintf(text + used, sizeof(text) - used, ":%u %u/%u", place->port, place->priority, place->weight);
    }
    return text;
}

static const struct name_record one[] = {{"one.test", RECORD_A, 60, .text = "10.0.0.1"}};

TEST(lookup_asks_once_for_all_who_want_to_know_and_remembers)
{
    struct asker first, second, third;
    begin(8);
    SERVES(&rig.server, one);
    assert_int_equal(ask(&first, "one.test", ""), STATUS_AGAIN);
    assert_int_equal(ask(&second, "ONE.test", ""), STATUS_AGAIN);
    wait_for(&first);
    wait_for(&second);
    assert_int_equal(ask(&third, "one.TEST", ""), STATUS_OK);
    assert_string_equal(shown(&first), "10.0.0.1");
    assert_string_equal(shown(&second), "10.0.0.1");
    assert_string_equal(shown(&third), "10.0.0.1");
    assert_null(third.answer.error);
    assert_int_equal(rig.server.asked_udp, 1);
    end();
}

TEST(lookup_asks_anew_when_the_time_of_an_answer_is_over)
{
    static const struct name_record two[] = {{"one.test", RECORD_A, 60, .text = "10.0.0.2"}};
    struct asker asker;
    begin(8);
    SERVES(&rig.server, one);
    find(&asker, "one.test", "");
    assert_in_range(asker.answer.holds_until, rig.loop.now + 50 * TIME_S, rig.loop.now + 60 * TIME_S);
    SERVES(&rig.server, two);
    rig.loop.now += 59 * TIME_S;
    assert_int_equal(ask(&asker, "one.test", ""), STATUS_OK);
    assert_string_equal(shown(&asker), "10.0.0.1");
    rig.loop.now += 2 * TIME_S;
    find(&asker, "one.test", "");
    assert_string_equal(shown(&asker), "10.0.0.2");
    end();
}

TEST(lookup_holds_an_answer_as_long_as_the_rule_says_whatever_the_record_says)
{
    struct asker asker;
    begin(8);
    SERVES(&rig.server, one);
    rig.rule.valid = 5 * TIME_S;
    find(&asker, "one.test", "");
    rig.loop.now += 6 * TIME_S;
    assert_int_equal(ask(&asker, "one.test", ""), STATUS_AGAIN);
    wait_for(&asker);
    /* Another rule's answer is another answer. */
    rig.rule.valid = 600 * TIME_S;
    find(&asker, "one.test", "");
    rig.loop.now += 500 * TIME_S;
    assert_int_equal(ask(&asker, "one.test", ""), STATUS_OK);
    assert_int_equal(rig.server.asked_udp, 3);
    end();
}

TEST(lookup_does_not_remember_a_failure_and_keeps_what_was_known_before)
{
    struct asker asker;
    begin(8);
    SERVES(&rig.server, one);
    find(&asker, "one.test", "");
    rig.server.fails = true;
    rig.loop.now += 61 * TIME_S;
    find(&asker, "one.test", "");
    assert_true(asker.answer.failed);
    assert_int_equal(asker.answer.count, 0);
    assert_non_null(asker.answer.error);
    asker.answer = lookup_last(rig.lookups, &rig.rule, S("one.test"), STR_NONE);
    assert_int_equal(asker.answer.count, 1);
    rig.server.fails = false;
    find(&asker, "one.test", "");
    assert_false(asker.answer.failed);
    assert_string_equal(shown(&asker), "10.0.0.1");
    end();
}

TEST(lookup_knows_for_a_moment_that_there_is_nothing)
{
    struct asker asker;
    begin(8);
    SERVES(&rig.server, one);
    find(&asker, "none.test", "");
    assert_false(asker.answer.failed);
    assert_int_equal(asker.answer.count, 0);
    assert_non_null(asker.answer.error);
    assert_int_equal(ask(&asker, "none.test", ""), STATUS_OK);
    assert_non_null(asker.answer.error);
    rig.loop.now += TIME_S + 1;
    find(&asker, "none.test", "");
    assert_int_equal(rig.server.asked_udp, 2);
    assert_int_equal(lookup_last(rig.lookups, &rig.rule, S("none.test"), STR_NONE).count, 0);
    assert_int_equal(lookup_last(rig.lookups, &rig.rule, S("never.test"), STR_NONE).count, 0);
    end();
}

TEST(lookup_finds_a_services_hosts_with_port_priority_and_weight)
{
    static const struct name_record records[] = {
        {"_http._tcp.shop.test", RECORD_SRV, 60, .text = "a.test", .priority = 10, .weight = 5, .port = 8080},
        {"_http._tcp.shop.test", RECORD_SRV, 60, .text = "b.test", .priority = 20, .weight = 0, .port = 8081},
        {"a.test", RECORD_A, 60, .text = "10.0.0.1"},
        {"b.test", RECORD_A, 20, .text = "10.0.0.2"},
    };
    struct asker asker;
    begin(8);
    SERVES(&rig.server, records);
    find(&asker, "shop.test", "http");
    const char *text = shown(&asker);
    assert_non_null(strstr(text, "10.0.0.1:8080 10/5"));
    assert_non_null(strstr(text, "10.0.0.2:8081 20/1"));
    assert_int_equal(asker.answer.count, 2);
    /* The shortest of all records says how long it holds. */
    assert_true(asker.answer.holds_until <= rig.loop.now + 20 * TIME_S);
    assert_int_equal(ask(&asker, "shop.test", "http"), STATUS_OK);
    find(&asker, "shop.test", "_http._tcp");      /* the same by its whole name */
    assert_int_equal(asker.answer.count, 2);
    end();
}

TEST(lookup_of_a_service_goes_by_the_hosts_that_have_addresses)
{
    static const struct name_record records[] = {
        {"_http._tcp.shop.test", RECORD_SRV, 60, .text = "gone.test", .priority = 1, .weight = 1, .port = 80},
        {"_http._tcp.shop.test", RECORD_SRV, 60, .text = "a.test", .priority = 1, .weight = 1, .port = 80},
        {"a.test", RECORD_A, 60, .text = "10.0.0.1"},
        {"_http._tcp.void.test", RECORD_SRV, 60, .text = "gone.test", .priority = 1, .weight = 1, .port = 80},
    };
    struct asker asker;
    begin(8);
    SERVES(&rig.server, records);
    find(&asker, "shop.test", "http");
    assert_string_equal(shown(&asker), "10.0.0.1:80 1/1");
    find(&asker, "void.test", "http");
    assert_int_equal(asker.answer.count, 0);
    assert_false(asker.answer.failed);
    assert_string_equal(asker.answer.error, "the service's hosts have no address");
    end();
}

TEST(lookup_that_is_cancelled_is_not_told_and_the_others_are)
{
    struct asker first, second;
    begin(8);
    SERVES(&rig.server, one);
    assert_int_equal(ask(&first, "one.test", ""), STATUS_AGAIN);
    assert_int_equal(ask(&second, "one.test", ""), STATUS_AGAIN);
    lookup_cancel(&first.lookup);
    lookup_cancel(&first.lookup);
    wait_for(&second);
    assert_int_equal(first.told, 0);
    lookup_cancel(&second.lookup);
    end();
}

TEST(lookup_forgets_quiet_names_where_there_are_too_many)
{
    static const struct name_record any[] = {{NULL, RECORD_A, 60, .text = "10.0.0.1"}};
    struct asker asker;
    begin(2);
    SERVES(&rig.server, any);
    find(&asker, "a.test", "");
    find(&asker, "b.test", "");
    assert_int_equal(ask(&asker, "a.test", ""), STATUS_OK);
    find(&asker, "c.test", "");
    find(&asker, "a.test", "");
    assert_int_equal(rig.server.asked_udp, 4);
    end();
}

TEST(lookups_free_tells_a_failure_to_all_that_wait)
{
    struct asker name, service;
    begin(8);
    rig.server.silent = true;
    assert_int_equal(ask(&name, "one.test", ""), STATUS_AGAIN);
    assert_int_equal(ask(&service, "shop.test", "http"), STATUS_AGAIN);
    end();
    assert_true(name.told == 1 && name.answer.failed);
    assert_true(service.told == 1 && service.answer.failed);
}

TEST(lookup_refuses_a_name_that_is_too_long_and_servers_that_are_none)
{
    static char name[2000];
    struct asker asker;
    begin(8);
    memset(name, 'a', sizeof(name) - 1);
    assert_int_equal(ask(&asker, name, ""), STATUS_OVERLOADED);
    rig.rule.servers = S("not a server");
    assert_int_equal(ask(&asker, "one.test", ""), STATUS_OVERLOADED);
    end();
}
