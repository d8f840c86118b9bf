#include "test.h"

#include "acme/failure.h"

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, ARENA_UNLIMITED);
}

TEST(a_directory_needs_its_three_urls_and_may_have_more)
{
    struct acme_directory directory;
    setup();
    assert_true(acme_read_directory(
        S("{\"newNonce\":\"https://c/n\",\"newAccount\":\"https://c/a\",\"newOrder\":\"https://c/o\",\"x\":[1],"
          "\"renewalInfo\":\"https://c/r\",\"meta\":{\"externalAccountRequired\":true,\"termsOfService\":\"data:text/plain,x\","
          "\"profiles\":{\"classic\":\"https://c/p\",\"short\":\"words\"}}}"),
        &arena, &directory));
    assert_str_equal(directory.new_order, S("https://c/o"));
    assert_str_equal(directory.renewal_info, S("https://c/r"));
    assert_true(directory.external_account_required);
    assert_int_equal(directory.profiles.count, 2);
    assert_false(acme_read_directory(S("{\"newNonce\":\"https://c/n\",\"newAccount\":\"https://c/a\"}"), &arena, &directory));
    assert_false(acme_read_directory(
        S("{\"newNonce\":\"ftp://c/n\",\"newAccount\":\"https://c/a\",\"newOrder\":\"https://c/o\"}"), &arena, &directory));
    assert_false(acme_read_directory(
        S("{\"newNonce\":\"https://c/n\",\"newNonce\":\"https://c/n\",\"newAccount\":\"https://c/a\",\"newOrder\":\"https://c/o\"}"),
        &arena, &directory));
    assert_false(acme_read_directory(S("<html>"), &arena, &directory));
    arena_release(&arena);
}

TEST(an_order_has_a_state_and_urls)
{
    struct acme_order_message order;
    setup();
    assert_true(acme_read_order(S("{\"status\":\"valid\",\"authorizations\":[\"https://c/1\",\"https://c/2\"],"
                                  "\"finalize\":\"https://c/f\",\"certificate\":\"https://c/c\",\"error\":null}"),
                                &arena, &order));
    assert_int_equal(order.state, ACME_STATE_VALID);
    assert_int_equal(order.authorizations.count, 2);
    assert_str_equal(order.authorizations.items[1], S("https://c/2"));
    assert_null(order.error);
    assert_false(acme_read_order(S("{\"status\":\"new\",\"authorizations\":[],\"finalize\":\"https://c/f\"}"), &arena, &order));
    assert_false(acme_read_order(S("{\"status\":\"valid\",\"authorizations\":[7],\"finalize\":\"https://c/f\"}"), &arena, &order));
    assert_false(acme_read_order(S("{\"status\":\"valid\",\"authorizations\":[]}"), &arena, &order));
    assert_false(acme_read_order(S("{\"status\":\"valid\",\"authorizations\":[],\"finalize\":\"https://c/ f\"}"), &arena, &order));
    arena_release(&arena);
}

#define AUTHORIZATION(name, token) \
    "{\"status\":\"pending\",\"identifier\":" name ",\"wildcard\":false,\"challenges\":[" \
    "{\"type\":\"dns-persist-01\"},{\"type\":\"http-01\",\"status\":\"pending\",\"url\":\"https://c/h\",\"token\":\"" token "\"}]}"

TEST(an_authorization_offers_challenges_of_which_unknown_ones_are_passed_over)
{
    struct acme_authorization_message it;
    setup();
    assert_true(acme_read_authorization(S(AUTHORIZATION("{\"type\":\"dns\",\"value\":\"A.Example\"}", "ab-_9")), &arena, &it));
    assert_str_equal(it.name, S("a.example"));
    assert_false(it.wildcard || it.address);
    assert_str_equal(it.challenges[ACME_HTTP_01].token, S("ab-_9"));
    assert_true(str_empty(it.challenges[ACME_DNS_01].url));
    assert_true(acme_read_authorization(S(AUTHORIZATION("{\"type\":\"ip\",\"value\":\"2001:DB8:0:0::1\"}", "a")), &arena, &it));
    assert_true(it.address);
    assert_str_equal(it.name, S("2001:db8::1"));
    arena_release(&arena);
}

TEST(a_token_or_name_that_could_leave_its_place_is_refused)
{
    struct acme_authorization_message it;
    setup();
    assert_false(acme_read_authorization(S(AUTHORIZATION("{\"type\":\"dns\",\"value\":\"a.example\"}", "../x")), &arena, &it));
    assert_false(acme_read_authorization(S(AUTHORIZATION("{\"type\":\"dns\",\"value\":\"a.example\"}", "")), &arena, &it));
    assert_false(acme_read_authorization(S(AUTHORIZATION("{\"type\":\"dns\",\"value\":\"a/b\"}", "x")), &arena, &it));
    assert_false(acme_read_authorization(S(AUTHORIZATION("{\"type\":\"ip\",\"value\":\"a.example\"}", "x")), &arena, &it));
    assert_false(acme_read_authorization(S(AUTHORIZATION("{\"type\":\"mail\",\"value\":\"a\"}", "x")), &arena, &it));
    arena_release(&arena);
}

TEST(a_problem_keeps_to_one_line_and_names_its_names)
{
    struct acme_problem problem;
    setup();
    assert_true(acme_read_problem(S("{\"type\":\"urn:ietf:params:acme:error:compound\",\"detail\":\"two\\nlines\\u001b\","
                                    "\"status\":403,\"subproblems\":[{\"type\":\"urn:ietf:params:acme:error:caa\",\"detail\":\"no\","
                                    "\"identifier\":{\"type\":\"dns\",\"value\":\"b.example\"}}]}"),
                                  &arena, &problem));
    assert_str_equal(problem.detail, S("two lines "));
    assert_int_equal(problem.status, 403);
    assert_int_equal(problem.subproblem_count, 1);
    assert_str_equal(problem.subproblems[0].identifier, S("b.example"));
    assert_false(acme_read_problem(S("{\"detail\":7}"), &arena, &problem));
    assert_false(acme_read_problem(S("[]"), &arena, &problem));
    arena_release(&arena);
}

TEST(renewal_information_is_a_window_that_opens_before_it_closes)
{
    struct acme_renewal_message it;
    setup();
    assert_true(acme_read_renewal(S("{\"suggestedWindow\":{\"start\":\"2026-01-02T04:00:00Z\",\"end\":\"2026-01-03T04:00:00.5+01:00\"},"
                                    "\"explanationURL\":\"https://c/why\"}"),
                                  &arena, &it));
    assert_int_equal(it.window_start, 1767326400);
    assert_int_equal(it.window_end, 1767326400 + 86400 - 3600);
    assert_str_equal(it.explanation_url, S("https://c/why"));
    assert_false(acme_read_renewal(S("{\"suggestedWindow\":{\"start\":\"2026-01-03T04:00:00Z\",\"end\":\"2026-01-03T04:00:00Z\"}}"),
                                   &arena, &it));
    assert_false(acme_read_renewal(S("{\"suggestedWindow\":{\"start\":\"2026-01-03T04:00:00Z\"}}"), &arena, &it));
    assert_false(acme_read_renewal(S("{}"), &arena, &it));
    arena_release(&arena);
}

TEST(times_are_those_of_rfc_3339)
{
    int64_t at;
    assert_true(acme_read_time(S("1970-01-01T00:00:00Z"), &at) && at == 0);
    assert_true(acme_read_time(S("2000-02-29T12:00:00Z"), &at) && at == 951825600);
    assert_true(acme_read_time(S("2026-07-01t00:00:00.123456-02:30"), &at) && at == 1782873000);
    assert_false(acme_read_time(S("2026-13-01T00:00:00Z"), &at));
    assert_false(acme_read_time(S("2026-01-01T24:00:00Z"), &at));
    assert_false(acme_read_time(S("2026-01-01T00:00:00"), &at));
    assert_false(acme_read_time(S("2026-01-01T00:00:00+1:00"), &at));
    assert_false(acme_read_time(S("2026-01-01"), &at));
}

TEST(a_link_is_taken_when_it_has_the_relation)
{
    assert_str_equal(acme_link_target(S("<https://c/1>;rel=\"alternate\""), S("alternate")), S("https://c/1"));
    assert_str_equal(acme_link_target(S("<https://c/1>; title=x; rel=\"up Alternate\""), S("alternate")), S("https://c/1"));
    assert_str_equal(acme_link_target(S("<https://c/1>;rel=alternate"), S("alternate")), S("https://c/1"));
    assert_true(str_empty(acme_link_target(S("<https://c/1>;rel=\"up\""), S("alternate"))));
    assert_true(str_empty(acme_link_target(S("<https://c/1>"), S("alternate"))));
    assert_true(str_empty(acme_link_target(S("</relative>;rel=\"alternate\""), S("alternate"))));
    assert_true(str_empty(acme_link_target(S("https://c/1;rel=\"alternate\""), S("alternate"))));
    assert_true(str_empty(acme_link_target(S("<"), S("alternate"))));
}

/* ---- what problems mean ---- */

static const struct acme_failure *meaning(const char *type, const char *detail, const char *challenge)
{
    struct acme_problem problem = {.type = arena_printf(&arena, "urn:ietf:params:acme:error:%s", type), .detail = str_from(detail)};
    return acme_failure_from_problem(&problem, 403, str_from(challenge), S("a.example"), &arena);
}

TEST(a_hint_says_which_port_of_which_address)
{
    setup();
    const struct acme_failure *it = meaning("connection", "192.0.2.1: Timeout during connect (likely firewall problem)", "http-01");
    assert_int_equal(it->trouble, ACME_CHALLENGE_FAILED);
    assert_str_equal(it->hint, S("the CA could not connect to port 80 of 192.0.2.1 (a.example): is it reachable from the internet?"));
    it = meaning("unauthorized", "192.0.2.1: Cannot negotiate ALPN protocol", "tls-alpn-01");
    assert_str_equal(it->hint, S("port 443 of 192.0.2.1 (a.example) was answered by something else: is it forwarded to Portico?"));
    assert_true(str_find(meaning("dns", "NXDOMAIN looking up A", "http-01")->hint, S("cannot resolve a.example")) >= 0);
    assert_true(str_find(meaning("caa", "forbidden", "dns-01")->hint, S("CAA record of a.example")) >= 0);
    assert_true(str_find(meaning("unauthorized", "no TXT", "dns-01")->hint, S("_acme-challenge.a.example")) >= 0);
    arena_release(&arena);
}

TEST(what_a_failure_means_depends_on_whether_a_challenge_was_tried)
{
    setup();
    assert_int_equal(meaning("unauthorized", "account deactivated", NULL)->trouble, ACME_ACCOUNT);
    assert_int_equal(meaning("unauthorized", "wrong", "http-01")->trouble, ACME_CHALLENGE_FAILED);
    assert_int_equal(meaning("rateLimited", "slow", "http-01")->trouble, ACME_RATE_LIMITED);
    assert_true(meaning("rejectedIdentifier", "no", NULL)->lasting);
    assert_false(meaning("caa", "no", NULL)->lasting);
    assert_int_equal(meaning("somethingNew", "?", "http-01")->trouble, ACME_CHALLENGE_FAILED);
    assert_int_equal(meaning("somethingNew", "?", NULL)->trouble, ACME_CA_FAILED);
    arena_release(&arena);
}

TEST(a_time_that_is_said_in_words_alone_is_kept_to)
{
    setup();
    assert_int_equal(meaning("rateLimited", "too many, retry after 2026-01-02 04:00:00 UTC: see https://x", NULL)->not_before, 1767326400);
    assert_int_equal(meaning("rateLimited", "too many, retry after lunch", NULL)->not_before, 0);
    arena_release(&arena);
}

TEST(a_copied_failure_has_all_its_parts)
{
    struct arena other;
    setup();
    arena_init(&other, ARENA_UNLIMITED);
    struct acme_problem subproblem = {.type = S("urn:ietf:params:acme:error:caa"), .detail = S("no"), .identifier = S("b.example")};
    struct acme_problem problem = {.detail = S("both"), .subproblems = &subproblem, .subproblem_count = 1};
    struct acme_failure *copy =
        acme_failure_copy(acme_failure_from_problem(&problem, 403, STR_NONE, S("a.example"), &arena), &other);
    arena_release(&arena);
    assert_str_equal(acme_failure_text(copy, &other), S("a.example: both"));
    assert_str_equal(copy->more->name, S("b.example"));
    assert_int_equal(copy->more->trouble, ACME_REFUSED);
    assert_null(copy->more->more);
    assert_str_equal(acme_failure_text(copy->more, &other), S("b.example: no (caa); a CAA record forbids this CA: add one that allows it"));
    arena_release(&other);
}
