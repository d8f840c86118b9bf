#include "test.h"

#include "acme/plan.h"

static struct arena arena;

static struct acme_plan plan_of(const char *const *names, size_t count, const enum acme_challenge_type *types, size_t type_count)
{
    static struct str texts[4];
    struct acme_plan plan;
    arena_init(&arena, ARENA_UNLIMITED);
    for (size_t i = 0; i < count; i++)
        texts[i] = str_from(names[i]);
    acme_plan_init(&plan, &(struct strs){texts, count}, types, type_count, &arena);
    return plan;
}

static struct acme_authorization_message offer(const char *name, bool wildcard, bool address)
{
    struct acme_authorization_message it = {.name = str_from(name), .wildcard = wildcard, .address = address};
    for (int i = 0; i < ACME_CHALLENGE_TYPES; i++)
        it.challenges[i] = (struct acme_challenge_message){
            .type = (enum acme_challenge_type)i, .state = ACME_STATE_PENDING, .url = S("https://c/x"), .token = S("t")};
    return it;
}

static const enum acme_challenge_type all[] = {ACME_TLS_ALPN_01, ACME_HTTP_01, ACME_DNS_01};
static const struct acme_failure refused = {.trouble = ACME_CHALLENGE_FAILED, .type = STR("urn:ietf:params:acme:error:connection")};

TEST(a_plan_takes_the_first_type_that_name_and_ca_allow)
{
    struct acme_plan plan = plan_of((const char *[]){"a.example", "*.a.example", "192.0.2.1"}, 3, all, 3);
    struct acme_authorization_message plain = offer("a.example", false, false), wild = offer("a.example", true, false),
                                      address = offer("192.0.2.1", false, true);
    enum acme_challenge_type type;
    assert_true(acme_plan_choose(&plan, &plain, &type) && type == ACME_TLS_ALPN_01);
    plain.challenges[ACME_TLS_ALPN_01].url = STR_NONE;
    assert_true(acme_plan_choose(&plan, &plain, &type) && type == ACME_HTTP_01);
    assert_true(acme_plan_choose(&plan, &wild, &type) && type == ACME_DNS_01);
    address.challenges[ACME_TLS_ALPN_01].url = address.challenges[ACME_HTTP_01].url = STR_NONE;
    assert_false(acme_plan_choose(&plan, &address, &type));
    arena_release(&arena);
}

TEST(a_plan_goes_on_with_what_the_ca_is_validating_already)
{
    struct acme_plan plan = plan_of((const char *[]){"a.example"}, 1, all, 3);
    struct acme_authorization_message it = offer("a.example", false, false);
    enum acme_challenge_type type;
    it.challenges[ACME_HTTP_01].state = ACME_STATE_PROCESSING;
    assert_true(acme_plan_choose(&plan, &it, &type) && type == ACME_HTTP_01);
    arena_release(&arena);
}

TEST(a_plan_tries_each_type_once_for_a_name_and_leaves_other_names_alone)
{
    struct acme_plan plan = plan_of((const char *[]){"a.example", "b.example"}, 2, all, 2);
    struct acme_authorization_message a = offer("a.example", false, false), b = offer("b.example", false, false);
    enum acme_challenge_type type;
    assert_true(acme_plan_failed(&plan, &a, ACME_TLS_ALPN_01, &refused));
    assert_true(acme_plan_choose(&plan, &a, &type) && type == ACME_HTTP_01);
    assert_true(acme_plan_choose(&plan, &b, &type) && type == ACME_TLS_ALPN_01);
    assert_false(acme_plan_failed(&plan, &a, ACME_HTTP_01, &refused));
    assert_false(acme_plan_choose(&plan, &a, &type));
    assert_false(acme_plan_failed(&plan, &b, ACME_CHALLENGE_TYPES, &refused));
    arena_release(&arena);
}

TEST(no_other_type_is_tried_for_what_no_type_can_help)
{
    struct acme_plan plan = plan_of((const char *[]){"a.example", "b.example", "192.0.2.1"}, 3, all, 3);
    struct acme_authorization_message a = offer("a.example", false, false), b = offer("b.example", false, false),
                                      address = offer("192.0.2.1", false, true);
    const struct acme_failure caa = {.trouble = ACME_CHALLENGE_FAILED, .type = S("urn:ietf:params:acme:error:caa")};
    const struct acme_failure limit = {.trouble = ACME_RATE_LIMITED, .type = S("urn:ietf:params:acme:error:rateLimited")};
    assert_false(acme_plan_failed(&plan, &a, ACME_TLS_ALPN_01, &caa));
    assert_false(acme_plan_failed(&plan, &b, ACME_TLS_ALPN_01, &limit));
    assert_false(acme_plan_failed(&plan, &address, ACME_HTTP_01, &refused));
    arena_release(&arena);
}
