#include "test.h"

#include "middleware/ip_strategy.h"
#include "middleware/rig.h"
#include "middleware/source_criterion.h"

static struct rig rig;

static int status_for(const char *type, const char *yaml, const char *peer,
                      const char *forwarded_for)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, type, yaml));
    assert_true(ip_parse(str_from(peer), &rig.client.peer));
    rig_begin(&rig, "GET", "http://foo/");
    if (forwarded_for != NULL)
        rig_field(&rig, "X-Forwarded-For", forwarded_for);
    int status = rig_request(&rig) == VERDICT_ANSWER ? rig.x.response.status : 0;
    if (status != 0)
        assert_int_equal(rig.x.failure, STATUS_IP_DENIED);
    rig_release(&rig);
    return status;
}

TEST(ip_allow_list_lets_only_its_networks_pass)
{
    assert_int_equal(
        status_for("ipAllowList", "sourceRange: [10.0.0.0/8, '::1']", "10.1.2.3", NULL), 0);
    assert_int_equal(status_for("ipAllowList", "sourceRange: [10.0.0.0/8, '::1']", "::1", NULL), 0);
    assert_int_equal(
        status_for("ipAllowList", "sourceRange: [10.0.0.0/8, '::1']", "11.0.0.1", NULL), 403);
    assert_int_equal(status_for("ipWhiteList", "{sourceRange: [10.0.0.1], rejectStatusCode: 404}",
                                "10.0.0.2", NULL),
                     404);
}

TEST(ip_allow_list_ignores_forwarded_addresses_unless_told)
{
    assert_int_equal(status_for("ipAllowList", "sourceRange: [10.0.0.1]", "11.0.0.1", "10.0.0.1"),
                     403);
    assert_int_equal(status_for("ipAllowList", "{sourceRange: [10.0.0.1], ipStrategy: {depth: 1}}",
                                "11.0.0.1", "10.0.0.1"),
                     0);
    assert_int_equal(status_for("ipAllowList", "{sourceRange: [0.0.0.0/0], ipStrategy: {depth: 2}}",
                                "11.0.0.1", "10.0.0.1"),
                     403);
    assert_int_equal(status_for("ipAllowList", "{sourceRange: [0.0.0.0/0], ipStrategy: {depth: 1}}",
                                "11.0.0.1", "unknown"),
                     403);
}

TEST(ip_deny_list_refuses_its_networks_and_who_cannot_be_told)
{
    assert_int_equal(status_for("ipDenyList", "sourceRange: [10.0.0.0/8]", "10.1.2.3", NULL), 403);
    assert_int_equal(status_for("ipDenyList", "sourceRange: [10.0.0.0/8]", "11.1.2.3", NULL), 0);
    assert_int_equal(status_for("ipDenyList", "{sourceRange: [10.0.0.0/8], ipStrategy: {depth: 1}}",
                                "11.1.2.3", NULL),
                     403);
}

TEST(ip_lists_check_their_options)
{
    rig_init(&rig);
    assert_false(rig_configure(&rig, "ipAllowList", "{}"));
    assert_false(rig_configure(&rig, "ipAllowList", "sourceRange: []"));
    assert_false(rig_configure(&rig, "ipAllowList", "sourceRange: [10.0.0.0/33]"));
    assert_false(
        rig_configure(&rig, "ipAllowList", "{sourceRange: [10.0.0.1], rejectStatusCode: 599}"));
    assert_false(rig_configure(&rig, "ipAllowList",
                               "{sourceRange: [10.0.0.1], ipStrategy: {ipv6Subnet: 129}}"));
    rig_release(&rig);
}

/* The address that counts, or "none". */
static struct str address_by(const struct ip_strategy *strategy, const char *peer,
                             const char *const *fields)
{
    rig_init(&rig);
    rig.m.type = middleware_find(S("ipAllowList"));
    assert_true(ip_parse(str_from(peer), &rig.client.peer));
    rig_begin(&rig, "GET", "http://foo/");
    for (; *fields != NULL; fields++)
        rig_field(&rig, "X-Forwarded-For", *fields);
    struct ip_rule rule = ip_rule_from(strategy, &rig.arena);
    struct ip ip;
    static char text[IP_TEXT_SIZE];
    struct str found =
        ip_rule_find(&rule, &rig.x, &ip) ? str_of(text, ip_format(&ip, text)) : S("none");
    rig_release(&rig);
    return found;
}

#define FIELDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define FOUR FIELDS("10.0.0.1,11.0.0.1,12.0.0.1,13.0.0.1")

TEST(ip_strategy_counts_from_the_right)
{
    assert_str_equal(address_by(&(struct ip_strategy){.depth = 1}, "1.1.1.1", FOUR), S("13.0.0.1"));
    assert_str_equal(address_by(&(struct ip_strategy){.depth = 3}, "1.1.1.1", FOUR), S("11.0.0.1"));
    assert_str_equal(address_by(&(struct ip_strategy){.depth = 4}, "1.1.1.1", FOUR), S("10.0.0.1"));
    assert_str_equal(address_by(&(struct ip_strategy){.depth = 5}, "1.1.1.1", FOUR), S("none"));
    assert_str_equal(address_by(&(struct ip_strategy){.depth = 0}, "1.1.1.1", FOUR), S("1.1.1.1"));
    assert_str_equal(address_by(NULL, "1.1.1.1", FOUR), S("1.1.1.1"));
}

TEST(ip_strategy_reads_all_fields_as_one_list)
{
    assert_str_equal(address_by(&(struct ip_strategy){.depth = 3}, "1.1.1.1",
                                FIELDS("10.0.0.1, 11.0.0.1", "12.0.0.1", " 13.0.0.1")),
                     S("11.0.0.1"));
}

TEST(ip_strategy_skips_excluded_addresses)
{
    struct str items[] = {STR("12.0.0.1"), STR("13.0.0.0/8")};
    struct ip_strategy strategy = {.excluded_ips = {.items = items, .count = 2}};
    assert_str_equal(address_by(&strategy, "1.1.1.1", FOUR), S("11.0.0.1"));
    assert_str_equal(address_by(&strategy, "1.1.1.1", FIELDS("12.0.0.1, 13.0.0.1")), S("none"));
    assert_str_equal(address_by(&strategy, "1.1.1.1", FIELDS("10.0.0.1, , 13.0.0.1")),
                     S("10.0.0.1"));
    assert_str_equal(address_by(&strategy, "1.1.1.1", FIELDS("10.0.0.1, bogus, 13.0.0.1")),
                     S("none"));
}

TEST(ip_strategy_takes_a_subnet_of_ipv6_for_one)
{
    struct ip_strategy strategy = {.ipv6_subnet = 64};
    const char *const none[] = {NULL};
    assert_str_equal(address_by(&strategy, "::abcd:1111:2222:3333", none), S("::"));
    assert_str_equal(address_by(&strategy, "2001:db8:1:2:3:4:5:6", none), S("2001:db8:1:2::"));
    assert_str_equal(address_by(&strategy, "10.1.2.3", none), S("10.1.2.3"));
}

static uint64_t key_by(const struct source_criterion *criterion, enum source_kind fallback,
                       const char *peer, const char *url)
{
    rig_init(&rig);
    rig.m.type = middleware_find(S("ipAllowList"));
    assert_true(ip_parse(str_from(peer), &rig.client.peer));
    rig_begin(&rig, "GET", url);
    rig_field(&rig, "X-Key", url);
    struct source_rule source = source_from(criterion, fallback, &rig.arena);
    uint64_t key = source_key(&source, &rig.x);
    rig_release(&rig);
    return key;
}

TEST(source_criterion_tells_requests_apart_by_what_was_asked)
{
    const struct source_criterion by_host = {.request_host = true},
                                  by_field = {.request_header_name = STR("X-Key")};
    assert_int_equal(key_by(NULL, SOURCE_ADDRESS, "1.1.1.1", "http://a/"),
                     key_by(NULL, SOURCE_ADDRESS, "1.1.1.1", "http://b/"));
    assert_true(key_by(NULL, SOURCE_ADDRESS, "1.1.1.1", "http://a/") !=
                key_by(NULL, SOURCE_ADDRESS, "1.1.1.2", "http://a/"));
    assert_int_equal(key_by(NULL, SOURCE_HOST, "1.1.1.1", "http://a/"),
                     key_by(NULL, SOURCE_HOST, "1.1.1.2", "http://A:81/"));
    assert_true(key_by(&by_host, SOURCE_ADDRESS, "1.1.1.1", "http://a/") !=
                key_by(&by_host, SOURCE_ADDRESS, "1.1.1.1", "http://b/"));
    assert_int_equal(key_by(&by_field, SOURCE_ADDRESS, "1.1.1.1", "http://a/"),
                     key_by(&by_field, SOURCE_HOST, "1.1.1.2", "http://a/"));
    assert_true(key_by(&by_field, SOURCE_ADDRESS, "1.1.1.1", "http://a/") !=
                key_by(&by_field, SOURCE_ADDRESS, "1.1.1.1", "http://b/"));
}

TEST(source_criterion_takes_only_one_of_its_three)
{
    rig_init(&rig);
    assert_false(
        rig_configure(&rig, "inFlightReq",
                      "{amount: 1, sourceCriterion: {requestHost: true, ipStrategy: {depth: 1}}}"));
    assert_non_null(strstr(rig_reported(&rig), "only one of"));
    rig_release(&rig);
}
