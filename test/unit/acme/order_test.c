/* Accounts, orders and renewal information against a CA with a script: what a well-behaved one never does. */
#include "test.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

#include "acme/account.h"
#include "acme/order.h"
#include "acme/renewal.h"
#include "fake_ca.h"
#include "tls/make.h"

#define LIMIT (60 * TIME_S)

/* One test's world. */
static struct fake_ca ca;
static struct loop loop;
static struct arena arena;
static struct acme_client *client;
static struct acme_order *order;
static struct str chain;
static struct acme_failure *failure;
static unsigned presented, cleaned, made, shown_false;
static bool over, hold;
static struct acme_challenge *challenge;
static struct acme_renewal renewal;

static void begin(int64_t head_timeout)
{
    arena_init(&arena, ARENA_UNLIMITED);
    assert_true(loop_init(&loop));
    fake_ca_start(&ca);
    const struct acme_client_settings settings = {.directory_url = arena_printf(&arena, "%s/dir", ca.url),
                                                  .timeout = LIMIT,
                                                  .head_timeout = head_timeout};
    struct str why;
    client = acme_client_new(&loop, &settings, acme_key_new(ACME_KEY_ES256), &arena, &why);
    assert_non_null(client);
    acme_client_set_account(client, S("https://ca.example/account/1"));
    chain = STR_NONE;
    failure = NULL;
    order = NULL;
    challenge = NULL;
    presented = cleaned = made = shown_false = 0;
    over = hold = false;
}

static void finish(void)
{
    acme_client_free(client);
    fake_ca_stop(&ca);
    loop_release(&loop);
    arena_release(&arena);
}

static void run(void)
{
    int64_t until = time_monotonic() + LIMIT;
    while (!over && time_monotonic() < until)
        loop_turn(&loop, TIME_S);
    assert_true(over);
}

/* ---- an owner of orders ---- */

static void on_present(void *owner, struct acme_challenge *it)
{
    presented++;
    challenge = it;
    if (!hold)
        acme_challenge_presented(it, shown_false == 0, S("no port"));
    else
        over = true;
}

static void on_cleanup(void *owner, struct acme_challenge *it)
{
    cleaned++;
}

static void on_made(void *owner, struct str url)
{
    made++;
}

static void on_done(void *owner, struct str pem, const struct acme_failure *why)
{
    chain = arena_str(&arena, pem);
    failure = acme_failure_copy(why, &arena);
    order = NULL;
    over = true;
}

static const struct acme_order_owner owner_functions = {
    .present = on_present, .cleanup = on_cleanup, .on_made = on_made, .on_done = on_done};

static struct acme_order_settings settings_for(struct str *name)
{
    return (struct acme_order_settings){.names = {.items = name, .count = 1},
                                        .request = S("request"),
                                        .types = {ACME_TLS_ALPN_01, ACME_HTTP_01},
                                        .type_count = 2};
}

static void start(const char *profile, const char *replaces, const char *url)
{
    struct str name = S("a.example");
    struct acme_order_settings settings = settings_for(&name);
    settings.profile = str_from(profile);
    settings.replaces = str_from(replaces);
    if (url != NULL)
        settings.url = arena_printf(&arena, "%s%s", ca.url, url);
    order = acme_order_start(client, &settings, &owner_functions, NULL);
}

static void issue(void)
{
    start(NULL, NULL, NULL);
    run();
}

static size_t asked(const char *line)
{
    return fake_ca_asked(&ca, line);
}

#define ORDER(state) \
    "{\"status\":\"" state "\",\"authorizations\":[\"$/authz/1\"],\"finalize\":\"$/finalize/1\",\"certificate\":\"$/cert/1\"}"
#define CHALLENGE(type, state, rest) \
    "{\"type\":\"" type "\",\"status\":\"" state "\",\"url\":\"$/" type "\",\"token\":\"t0ken\"" rest "}"
#define AUTHORIZATION(state, challenges) \
    "{\"status\":\"" state "\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"},\"challenges\":[" challenges "]}"
#define PROBLEM(type) "{\"type\":\"urn:ietf:params:acme:error:" type "\",\"detail\":\"words\"}"
#define BOTH CHALLENGE("tls-alpn-01", "pending", "") "," CHALLENGE("http-01", "pending", "")

/* ---- orders ---- */

TEST(an_order_goes_from_names_to_a_chain_and_cleans_up)
{
    begin(0);
    fake_ca_answer(&ca, "/authz/1", 2, 200, "", AUTHORIZATION("pending", BOTH));
    fake_ca_usual(&ca);
    issue();
    assert_null(failure);
    assert_true(str_starts(chain, S("-----BEGIN CERTIFICATE-----")));
    assert_int_equal(asked("/order {\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}]}"), 1);
    assert_int_equal(asked("/tls-alpn-01 {}"), 1);
    assert_int_equal(asked("/finalize/1 {\"csr\":\"cmVxdWVzdA\"}"), 1);
    assert_int_equal(made, 1);
    assert_int_equal(presented, 1);
    assert_int_equal(cleaned, 1);
    finish();
}

TEST(an_order_says_its_profile_and_what_it_replaces_unless_that_is_replaced_already)
{
    begin(0);
    fake_ca_answer(&ca, "/order", 1, 409, "", PROBLEM("alreadyReplaced"));
    fake_ca_usual(&ca);
    start("short", "aki.serial", NULL);
    run();
    assert_null(failure);
    assert_int_equal(asked("/order "), 2);
    assert_int_equal(asked("/order {\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}],\"profile\":\"short\","
                           "\"replaces\":\"aki.serial\"}"),
                     1);
    assert_int_equal(asked("/order {\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}],\"profile\":\"short\"}"), 1);
    finish();
}

TEST(a_profile_that_the_ca_lacks_fails_before_anything_is_ordered)
{
    begin(0);
    fake_ca_usual(&ca);
    start("shrot", NULL, NULL);
    run();
    assert_int_equal(failure->trouble, ACME_REFUSED);
    assert_true(failure->lasting);
    assert_int_equal(asked("/order"), 0);
    finish();
}

TEST(an_answer_that_is_lost_is_made_up_for_by_looking_where_the_order_stands)
{
    begin(0);
    fake_ca_answer(&ca, "/finalize/1", 1, 0, "", "");
    fake_ca_answer(&ca, "/cert/1", 1, 503, "", "");
    fake_ca_answer(&ca, "/authz/1", 1, 502, "", "bad gateway");
    fake_ca_answer(&ca, "/order/1", 1, 200, "", ORDER("ready"));
    fake_ca_usual(&ca);
    issue();
    assert_null(failure);
    assert_true(asked("/order/1") >= 2);
    assert_int_equal(asked("/order "), 1);
    finish();
}

TEST(a_type_that_fails_is_followed_by_the_next_in_a_new_order)
{
    begin(0);
    fake_ca_answer(&ca, "/authz/1", 1, 200, "", AUTHORIZATION("pending", BOTH));
    fake_ca_answer(&ca, "/authz/1", 1, 200, "",
                   AUTHORIZATION("invalid", CHALLENGE("tls-alpn-01", "invalid", ",\"error\":" PROBLEM("tls"))));
    fake_ca_answer(&ca, "/authz/1", 1, 200, "", AUTHORIZATION("pending", BOTH));
    fake_ca_answer(&ca, "/authz/1", 1, 200, "",
                   AUTHORIZATION("invalid", CHALLENGE("http-01", "invalid", ",\"error\":" PROBLEM("connection"))));
    fake_ca_usual(&ca);
    issue();
    assert_int_equal(asked("/order "), 2);
    assert_int_equal(made, 2);
    assert_int_equal(asked("/tls-alpn-01"), 1);
    assert_int_equal(asked("/http-01"), 1);
    assert_int_equal(cleaned, 2);
    assert_str_equal(failure->challenge, S("http-01"));
    assert_str_equal(failure->name, S("a.example"));
    assert_str_equal(failure->more->challenge, S("tls-alpn-01"));
    assert_null(failure->more->more);
    finish();
}

TEST(what_cannot_be_presented_is_not_told_to_the_ca)
{
    begin(0);
    shown_false = 1;
    fake_ca_answer(&ca, "/authz/1", 0, 200, "", AUTHORIZATION("pending", CHALLENGE("http-01", "pending", "")));
    fake_ca_usual(&ca);
    issue();
    assert_int_equal(failure->trouble, ACME_PRESENT_FAILED);
    assert_str_equal(failure->detail, S("no port"));
    assert_int_equal(asked("/http-01"), 0);
    assert_int_equal(cleaned, 1);
    finish();
}

TEST(a_rate_limit_says_when_to_come_back)
{
    begin(0);
    fake_ca_answer(&ca, "/order", 0, 429, "Retry-After: 3600\r\n", PROBLEM("rateLimited"));
    fake_ca_usual(&ca);
    issue();
    assert_int_equal(failure->trouble, ACME_RATE_LIMITED);
    assert_int_equal(failure->status, 429);
    assert_in_range(failure->not_before, time_wall() / TIME_S + 3000, time_wall() / TIME_S + 3600);
    finish();
}

TEST(each_name_that_the_ca_refuses_is_told)
{
    begin(0);
    fake_ca_answer(&ca, "/order", 0, 400, "",
                   "{\"type\":\"urn:ietf:params:acme:error:rejectedIdentifier\",\"detail\":\"both\",\"subproblems\":["
                   "{\"type\":\"urn:ietf:params:acme:error:caa\",\"detail\":\"no\",\"identifier\":{\"type\":\"dns\",\"value\":\"a."
                   "example\"}}]}");
    fake_ca_usual(&ca);
    issue();
    assert_true(failure->lasting);
    assert_str_equal(failure->more->name, S("a.example"));
    assert_str_equal(failure->more->type, S("urn:ietf:params:acme:error:caa"));
    finish();
}

TEST(an_order_is_taken_up_where_it_stands)
{
    begin(0);
    fake_ca_answer(&ca, "/order/1", 1, 200, "", ORDER("pending"));
    fake_ca_answer(&ca, "/authz/1", 1, 200, "",
                   AUTHORIZATION("pending", CHALLENGE("tls-alpn-01", "pending", "") "," CHALLENGE("http-01", "processing", "")));
    fake_ca_usual(&ca);
    start(NULL, NULL, "/order/1");
    run();
    assert_null(failure);
    assert_int_equal(asked("/order "), 0);
    assert_int_equal(made, 0);
    /* The CA is validating HTTP-01 already: it is presented again, but not asked for again. */
    assert_int_equal(presented, 1);
    assert_int_equal(asked("/http-01"), 0);
    assert_int_equal(asked("/tls-alpn-01"), 0);
    finish();
}

TEST(an_order_that_the_ca_has_forgotten_or_given_up_is_made_anew)
{
    begin(0);
    fake_ca_answer(&ca, "/order/8", 0, 200, "", ORDER("invalid"));
    fake_ca_usual(&ca);
    start(NULL, NULL, "/order/7");
    run();
    assert_null(failure);
    assert_int_equal(asked("/order "), 1);
    over = false;
    start(NULL, NULL, "/order/8");
    run();
    assert_null(failure);
    assert_int_equal(asked("/order "), 2);
    finish();
}

TEST(an_order_that_is_cancelled_cleans_up_and_says_no_more)
{
    begin(0);
    hold = true;
    fake_ca_answer(&ca, "/authz/1", 0, 200, "", AUTHORIZATION("pending", BOTH));
    fake_ca_usual(&ca);
    issue();
    assert_string_equal(acme_order_state(order), "authorizing");
    assert_int_equal(cleaned, 0);
    assert_str_equal(challenge->server_name, S("a.example"));
    acme_order_cancel(order);
    assert_int_equal(cleaned, 1);
    finish();
}

TEST(what_is_no_certificate_is_not_taken_for_one)
{
    begin(0);
    fake_ca_answer(&ca, "/cert/1", 0, 200, "", "<html>");
    fake_ca_usual(&ca);
    issue();
    assert_int_equal(failure->trouble, ACME_CA_FAILED);
    finish();
}

TEST(a_certificate_that_does_not_come_is_not_waited_for_for_ever)
{
    struct str name = S("a.example");
    struct acme_order_settings settings = settings_for(&name);
    settings.certificate_timeout = TIME_S;
    begin(0);
    fake_ca_answer(&ca, "/finalize/1", 0, 200, "", ORDER("processing"));
    fake_ca_answer(&ca, "/order/1", 1, 200, "", ORDER("ready"));
    fake_ca_answer(&ca, "/order/1", 0, 200, "", ORDER("processing"));
    fake_ca_usual(&ca);
    order = acme_order_start(client, &settings, &owner_functions, NULL);
    run();
    assert_int_equal(failure->trouble, ACME_TOO_SLOW);
    finish();
}

TEST(an_address_is_asked_for_by_its_reverse_name)
{
    struct str name = S("2001:db8::1");
    struct acme_order_settings settings = settings_for(&name);
    begin(0);
    hold = true;
    fake_ca_answer(&ca, "/authz/1", 0, 200, "",
                   "{\"status\":\"pending\",\"identifier\":{\"type\":\"ip\",\"value\":\"2001:db8::1\"},\"challenges\":[" BOTH "]}");
    fake_ca_usual(&ca);
    order = acme_order_start(client, &settings, &owner_functions, NULL);
    run();
    assert_int_equal(asked("/order {\"identifiers\":[{\"type\":\"ip\",\"value\":\"2001:db8::1\"}]}"), 1);
    assert_str_equal(challenge->server_name, S("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"));
    acme_order_cancel(order);
    finish();
}

/* ---- requests ---- */

TEST(a_nonce_that_is_refused_is_replaced_but_not_for_ever)
{
    begin(0);
    fake_ca_answer(&ca, "/order", 5, 400, "", PROBLEM("badNonce"));
    fake_ca_answer(&ca, "/finalize/1", 0, 400, "", PROBLEM("badNonce"));
    fake_ca_usual(&ca);
    issue();
    assert_int_equal(asked("/order "), 6);
    assert_str_equal(failure->type, S("urn:ietf:params:acme:error:badNonce"));
    finish();
}

TEST(a_ca_that_does_not_answer_in_time_is_unreachable)
{
    begin(200 * TIME_MS);
    fake_ca_answer(&ca, "/dir", 0, -1, "", "");
    issue();
    assert_int_equal(failure->trouble, ACME_UNREACHABLE);
    assert_true(str_find(failure->detail, S("no response in time")) >= 0);
    finish();
}

TEST(what_is_no_directory_is_said_to_be_none)
{
    begin(0);
    fake_ca_answer(&ca, "/dir", 1, 200, "", "{}");
    fake_ca_usual(&ca);
    issue();
    assert_int_equal(failure->trouble, ACME_CA_FAILED);
    assert_true(str_find(failure->hint, S("caServer")) >= 0);
    over = false;
    issue();
    assert_null(failure);
    finish();
}

TEST(an_account_that_the_ca_forgot_is_forgotten_here)
{
    begin(0);
    fake_ca_answer(&ca, "/order", 0, 400, "", PROBLEM("accountDoesNotExist"));
    fake_ca_usual(&ca);
    issue();
    assert_int_equal(failure->trouble, ACME_ACCOUNT);
    assert_true(str_empty(acme_client_account(client)));
    finish();
}

/* ---- accounts ---- */

static struct str account;

static void on_account(void *owner, struct str url, const struct acme_failure *why)
{
    account = arena_str(&arena, url);
    failure = acme_failure_copy(why, &arena);
    over = true;
}

static void open_account(const char *kid)
{
    struct str email = S("me@example.com");
    const struct acme_account_settings settings = {
        .emails = {&email, 1}, .eab_kid = str_from(kid), .eab_hmac = S("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY")};
    over = false;
    acme_account_open(client, &settings, on_account, NULL);
    run();
}

TEST(an_account_is_opened_with_contacts_and_binding)
{
    begin(0);
    fake_ca_usual(&ca);
    open_account(NULL);
    assert_null(failure);
    assert_str_equal(account, arena_printf(&arena, "%s/account/1", ca.url));
    assert_str_equal(acme_client_account(client), account);
    open_account("kid-1");
    assert_int_equal(asked("/account {\"termsOfServiceAgreed\":true,\"contact\":[\"mailto:me@example.com\"]}"), 1);
    assert_int_equal(asked("/account {\"termsOfServiceAgreed\":true,\"contact\":[\"mailto:me@example.com\"],"
                           "\"externalAccountBinding\":{\"payload\":"),
                     1);
    finish();
}

TEST(an_account_that_was_deactivated_is_no_account)
{
    begin(0);
    fake_ca_answer(&ca, "/account", 1, 200, "Location: $/account/1\r\n", "{\"status\":\"deactivated\"}");
    fake_ca_answer(&ca, "/account", 1, 403, "", PROBLEM("unauthorized"));
    fake_ca_usual(&ca);
    open_account(NULL);
    assert_int_equal(failure->trouble, ACME_ACCOUNT);
    assert_true(failure->lasting);
    open_account("kid-1");
    assert_int_equal(failure->trouble, ACME_ACCOUNT);
    assert_true(str_find(failure->hint, S("eab.kid")) >= 0);
    finish();
}

TEST(a_binding_that_the_ca_requires_is_asked_of_the_user)
{
    begin(0);
    fake_ca_answer(&ca, "/dir", 0, 200, "",
                   "{\"newNonce\":\"$/nonce\",\"newAccount\":\"$/account\",\"newOrder\":\"$/order\","
                   "\"meta\":{\"externalAccountRequired\":true}}");
    fake_ca_usual(&ca);
    open_account(NULL);
    assert_int_equal(failure->trouble, ACME_ACCOUNT);
    assert_int_equal(asked("/account"), 0);
    finish();
}

/* ---- renewal information ---- */

static bool renewal_known;

static void on_renewal(void *owner, const struct acme_renewal *it, const struct acme_failure *why)
{
    renewal_known = it != NULL;
    if (it != NULL)
        renewal = *it;
    failure = acme_failure_copy(why, &arena);
    over = true;
}

static void ask_renewal(void)
{
    over = false;
    acme_renewal_ask(client, S("aki.serial"), on_renewal, NULL);
    run();
}

TEST(renewal_information_is_asked_for_by_certificate)
{
    begin(0);
    fake_ca_answer(&ca, "/ari/aki.serial", 1, 200, "Retry-After: 7200\r\n",
                   "{\"suggestedWindow\":{\"start\":\"2026-01-02T04:00:00Z\",\"end\":\"2026-01-03T04:00:00Z\"}}");
    fake_ca_answer(&ca, "/ari/aki.serial", 1, 200, "", "{}");
    fake_ca_usual(&ca);
    ask_renewal();
    assert_true(renewal_known);
    assert_int_equal(renewal.window_start, 1767326400);
    assert_in_range(renewal.ask_again, time_wall() / TIME_S + 7000, time_wall() / TIME_S + 7200);
    ask_renewal();
    assert_false(renewal_known);
    assert_int_equal(failure->trouble, ACME_CA_FAILED);
    ask_renewal();
    assert_int_equal(failure->status, 404);
    finish();
}

TEST(a_ca_without_renewal_information_is_no_failure)
{
    begin(0);
    fake_ca_answer(&ca, "/dir", 0, 200, "", "{\"newNonce\":\"$/nonce\",\"newAccount\":\"$/account\",\"newOrder\":\"$/order\"}");
    ask_renewal();
    assert_false(renewal_known);
    assert_null(failure);
    finish();
}

TEST(what_is_cancelled_is_heard_of_no_more)
{
    begin(0);
    fake_ca_answer(&ca, "/dir", 0, -1, "", "");
    struct acme_renewal_question *question = acme_renewal_ask(client, S("aki.serial"), on_renewal, NULL);
    start(NULL, NULL, NULL);
    for (int i = 0; i < 20; i++)
        loop_turn(&loop, 10 * TIME_MS);
    acme_order_cancel(order);
    acme_renewal_cancel(question);
    assert_false(over);
    finish();
}
