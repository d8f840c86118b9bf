#include "acme/challenge_http.h"

#include "exchange/service.h"
#include "test.h"

TEST(a_token_is_known_from_set_to_clear)
{
    assert_false(challenge_http_knows(S(ACME_HTTP_PATH "one")));
    challenge_http_set(S("one"), S("one.thumb"));
    challenge_http_set(S("two"), S("two.thumb"));
    assert_true(challenge_http_knows(S(ACME_HTTP_PATH "one")));
    assert_true(challenge_http_knows(S(ACME_HTTP_PATH "two")));
    assert_false(challenge_http_knows(S(ACME_HTTP_PATH "on")));
    assert_false(challenge_http_knows(S(ACME_HTTP_PATH)));
    assert_false(challenge_http_knows(S("/one")));
    challenge_http_clear(S("one"));
    assert_false(challenge_http_knows(S(ACME_HTTP_PATH "one")));
    challenge_http_clear(S("one"));
    challenge_http_clear(S("two"));
    assert_false(challenge_http_knows(S(ACME_HTTP_PATH "two")));
}

TEST(a_token_that_is_set_again_is_one_token)
{
    challenge_http_set(S("one"), S("a"));
    challenge_http_set(S("one"), S("b"));
    challenge_http_clear(S("one"));
    assert_false(challenge_http_knows(S(ACME_HTTP_PATH "one")));
}

TEST(the_challenge_service_is_found_by_its_name)
{
    const struct service_type *type = service_find(S("acme-http@internal"));
    assert_non_null(type);
    assert_string_equal(type->choice.name, "acme-http@internal");
}
