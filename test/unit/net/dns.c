/* Against a name server of our own, on the loop of the test, over UDP and TCP. */
#include "net/dns.h"

#include <stdio.h>

#include "net/name_server.h"
#include "test.h"

static struct loop loop;

/* Whatever name is asked for. */
static const struct name_record records[] = {
    {NULL, RECORD_A, 77, .text = "10.9.8.7"},          {NULL, RECORD_A, 33, .text = "10.9.8.6"},
    {NULL, RECORD_AAAA, 500, .text = "fd00::1"},       {NULL, RECORD_TXT, 5, .text = "\3one\4-two"},
    {NULL, RECORD_TXT, 5, .text = "\5three"},
};

struct asked {
    struct dns_answer answer;
    int answers;
};

static void note(void *owner, const struct dns_answer *dns_answer)
{
    struct asked *asked = owner;
    asked->answer = *dns_answer;
    asked->answers++;
}

static bool has(const struct dns_answer *dns_answer, struct str address)
{
    struct ip ip;
    assert_true(ip_parse(address, &ip));
    for (size_t i = 0; i < dns_answer->count; i++) {
        if (ip_equal(&dns_answer->addresses[i], &ip))
            return true;
    }
    return false;
}

static void wait_for(struct asked *asked)
{
    while (asked->answers == 0)
        loop_turn(&loop, TIME_S);
    loop_turn(&loop, 0);
    assert_int_equal(asked->answers, 1);
}

/* Everything is asked of `server`. */
static struct dns *dns_of(struct name_server *server)
{
    assert_true(loop_init(&loop));
    SERVES(server, records);
    name_server_start(server, &loop);
    struct dns *dns = dns_new(&loop);
    assert_true(dns_use_servers(dns, str_from(server->address)));
    return dns;
}

static void end(struct dns *dns, struct name_server *server)
{
    dns_free(dns);
    name_server_stop(server);
    loop_release(&loop);
}

TEST(dns_answers_literals_at_once_without_a_server)
{
    struct asked v4 = {0}, v6 = {0}, empty = {0}, nul = {0};
    assert_true(loop_init(&loop));
    struct dns *dns = dns_new(&loop);
    assert_non_null(dns);
    dns_resolve(dns, S("10.1.2.3"), note, &v4);
    dns_resolve(dns, S("[::1]"), note, &v6);
    dns_resolve(dns, S(""), note, &empty);
    dns_resolve(dns, str_of("a\0b", 3), note, &nul);
    assert_int_equal(v4.answers, 1);
    assert_int_equal(v4.answer.count, 1);
    assert_true(has(&v4.answer, S("10.1.2.3")));
    assert_true(v4.answer.ttl >= 3600 * TIME_S && loop.now + v4.answer.ttl > loop.now);
    assert_true(has(&v6.answer, S("::1")));
    assert_int_equal(empty.answer.count, 0);
    assert_non_null(empty.answer.error);
    assert_int_equal(nul.answer.count, 0);
    dns_free(dns);
    loop_release(&loop);
}

TEST(dns_finds_both_families_and_the_smallest_ttl)
{
    struct name_server server = {0};
    struct asked asked = {0};
    struct dns *dns = dns_of(&server);
    dns_resolve(dns, S("backend.portico.test"), note, &asked);
    wait_for(&asked);
    assert_null(asked.answer.error);
    assert_int_equal(asked.answer.count, 3);
    assert_true(has(&asked.answer, S("10.9.8.7")));
    assert_true(has(&asked.answer, S("10.9.8.6")));
    assert_true(has(&asked.answer, S("fd00::1")));
    assert_true(asked.answer.ttl == 33 * TIME_S);
    end(dns, &server);
}

TEST(dns_asks_again_by_tcp_when_the_answer_did_not_fit)
{
    struct name_server server = {.truncates = true};
    struct asked asked = {0};
    struct dns *dns = dns_of(&server);
    dns_resolve(dns, S("backend.portico.test"), note, &asked);
    wait_for(&asked);
    assert_int_equal(asked.answer.count, 3);
    assert_true(server.asked_udp >= 2 && server.asked_tcp >= 2);
    end(dns, &server);
}

TEST(dns_reports_a_name_that_does_not_exist)
{
    struct name_server server = {.unknown = true};
    struct asked asked = {0};
    struct dns *dns = dns_of(&server);
    dns_resolve(dns, S("nobody.portico.test."), note, &asked);
    wait_for(&asked);
    assert_int_equal(asked.answer.count, 0);
    assert_non_null(asked.answer.error);
    assert_true(asked.answer.ttl >= TIME_S);
    end(dns, &server);
}

TEST(dns_takes_a_malformed_answer_for_a_failure_and_not_for_nothing)
{
    struct name_server server = {.mangles = true};
    struct asked asked = {0};
    struct dns *dns = dns_of(&server);
    dns_resolve(dns, S("backend.portico.test"), note, &asked);
    wait_for(&asked);
    assert_int_equal(asked.answer.count, 0);
    assert_false(asked.answer.nothing);
    assert_non_null(asked.answer.error);
    end(dns, &server);
}

TEST(dns_knows_localhost_where_the_system_is_asked)
{
    struct asked asked = {0};
    assert_true(loop_init(&loop));
    struct dns *dns = dns_new(&loop);
    assert_non_null(dns);
    dns_resolve(dns, S("localhost"), note, &asked);
    wait_for(&asked);
    assert_true(has(&asked.answer, S("127.0.0.1")) || has(&asked.answer, S("::1")));
    assert_true(asked.answer.ttl >= TIME_S);
    dns_free(dns);
    loop_release(&loop);
}

struct chained {
    struct dns *dns;
    int answers, failures;
};

static void resolve_again(void *owner, const struct dns_answer *dns_answer)
{
    struct chained *chained = owner;
    chained->failures += dns_answer->count == 0;
    if (++chained->answers < 3)
        dns_resolve(chained->dns, S("another.portico.test"), resolve_again, chained);
}

TEST(dns_free_reports_a_failure_to_all_that_still_wait)
{
    struct name_server server = {.silent = true};
    struct asked first = {0}, second = {0};
    struct dns *dns = dns_of(&server);
    struct chained chained = {.dns = dns};
    dns_resolve(dns, S("a.portico.test"), note, &first);
    dns_resolve(dns, S("b.portico.test"), note, &second);
    dns_resolve(dns, S("c.portico.test"), resolve_again, &chained);
    while (server.asked_udp == 0)
        loop_turn(&loop, TIME_S);
    assert_int_equal(first.answers + second.answers + chained.answers, 0);
    dns_free(dns);
    assert_int_equal(first.answers, 1);
    assert_int_equal(second.answers, 1);
    assert_int_equal(first.answer.count, 0);
    assert_non_null(first.answer.error);
    assert_int_equal(chained.answers, 3);      /* asked anew while closing: failed at once */
    assert_int_equal(chained.failures, 3);
    name_server_stop(&server);
    loop_release(&loop);
}

TEST(dns_lets_a_callback_ask_for_the_next_name)
{
    struct name_server server = {0};
    struct dns *dns = dns_of(&server);
    struct chained chained = {.dns = dns};
    dns_resolve(dns, S("first.portico.test"), resolve_again, &chained);
    while (chained.answers < 3)
        loop_turn(&loop, TIME_S);
    assert_int_equal(chained.failures, 0);
    end(dns, &server);
}

struct texts_asked {
    char texts[2][32];
    size_t count;
    bool failed;
    int answers;
};

static void note_texts(void *owner, const struct dns_texts *answer)
{
    struct texts_asked *asked = owner;
    asked->count = answer->count;
    asked->failed = answer->error != NULL;
    for (size_t i = 0; i < answer->count && i < 2; i++)
        snprintf(asked->texts[i], sizeof(asked->texts[i]), "%.*s", STR_ARGS(answer->items[i]));
    asked->answers++;
}

TEST(dns_finds_texts_and_joins_the_strings_of_each)
{
    struct name_server server = {0};
    struct texts_asked asked = {0};
    struct dns *dns = dns_of(&server);
    dns_find_texts(dns, S("_acme-challenge.portico.test."), note_texts, &asked);
    while (asked.answers == 0)
        loop_turn(&loop, TIME_S);
    assert_int_equal(asked.count, 2);
    assert_string_equal(asked.texts[0], "one-two");
    assert_string_equal(asked.texts[1], "three");
    server.unknown = true;
    dns_find_texts(dns, S("_acme-challenge.other.test."), note_texts, &asked);
    while (asked.answers == 1)
        loop_turn(&loop, TIME_S);
    assert_true(asked.failed && asked.count == 0);
    end(dns, &server);
}

TEST(dns_free_ends_a_question_for_texts)
{
    struct name_server server = {.silent = true};
    struct texts_asked asked = {0};
    struct dns *dns = dns_of(&server);
    dns_find_texts(dns, S("_acme-challenge.portico.test."), note_texts, &asked);
    dns_free(dns);
    assert_true(asked.failed && asked.answers == 1);
    name_server_stop(&server);
    loop_release(&loop);
}
