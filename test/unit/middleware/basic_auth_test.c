#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "middleware/apr1.h"
#include "middleware/password.h"
#include "middleware/password_cache.h"
#include "middleware/password_pool.h"
#include "middleware/rig.h"

/* All of the password "secret". */
#define BCRYPT "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define APR1 "$apr1$xyz$HXgo9gtz4gpj4JWTLYmjB0"
#define SHA1 "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="
#define SHA256 "$5$salt$kpa26zwgX83BPSR8d7w93OIXbFt/d3UOTZaAu5vsTM6"
#define SHA512                                                                                     \
    "$6$salt$egUxKNxDs8kPfh8iPMNcosMhb2eWah6d3R44JDm5Rj/j/"                                        \
    "XWR5E33QPd0YmHXoDHOIDR6kL5D3JcQcz0O8FHE00"
#define YESCRYPT "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$GmcwIgvdUC9qLWcKCi6gklUa1dM3ziD43YxYNURLKy0"

static const struct str hashes[] = {STR(BCRYPT), STR(APR1),   STR(SHA1),
                                    STR(SHA256), STR(SHA512), STR(YESCRYPT)};
#define HASHES (sizeof(hashes) / sizeof(hashes[0]))

/* --- passwords --- */

TEST(passwords_are_verified_against_every_kind_of_hash)
{
    for (size_t i = 0; i < HASHES; i++) {
        const char *why;
        assert_true(password_hash_is_known(hashes[i], &why));
        assert_true(password_verify(hashes[i], S("secret")));
        assert_false(password_verify(hashes[i], S("Secret")));
        assert_false(password_verify(hashes[i], S("")));
        assert_false(password_verify(hashes[i], S("secret\0")));
        assert_false(password_verify(hashes[i], S("secret\0x")));
    }
}

TEST(a_password_hash_whose_end_is_missing_fits_nothing)
{
    for (size_t i = 0; i < HASHES; i++)
        assert_false(password_verify(str_first(hashes[i], hashes[i].len - 2), S("secret")));
}

TEST(apr1_hashes_long_and_empty_passwords)
{
    char out[APR1_SIZE];
    assert_str_equal(str_of(out, apr1_hash(S("a much longer password than sixteen bytes"),
                                           S("$apr1$8charsal$"), out)),
                     S("$apr1$8charsal$ytf6wfcDlKbW0p2iLfxg7."));
    assert_str_equal(str_of(out, apr1_hash(S(""), S("$apr1$abcd$"), out)),
                     S("$apr1$abcd$xc0GS6mcK/RPjawIVUTD1/"));
}

TEST(passwords_that_are_no_hashes_are_told_apart)
{
    const char *why;
    const char *const bad[] = {"",
                               "secret",
                               "{SHA}abc",
                               "{SSHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
                               "$apr1$xyz$short",
                               "$apr1$xyz",
                               "$2y$04$short",
                               "$6$salt$short",
                               "$6$",
                               "$",
                               "$nosuch$x$y",
                               "abJnggxhB/yWI"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(password_hash_is_known(str_from(bad[i]), &why));
        assert_non_null(why);
    }
}

TEST(the_password_cache_remembers_the_pair_for_a_while)
{
    int64_t now = 1000 * TIME_S;
    struct str hash = S("hash of the cache's test");
    assert_false(password_cache_has(hash, S("a"), now));
    password_cache_add(hash, S("a"), now);
    assert_true(password_cache_has(hash, S("a"), now));
    assert_false(password_cache_has(hash, S("b"), now));
    assert_false(password_cache_has(S("hash of the cache's tes"), S("ta"), now));
    assert_true(password_cache_has(hash, S("a"), now + PASSWORD_CACHE_LIFE - 1));
    assert_false(password_cache_has(hash, S("a"), now + PASSWORD_CACHE_LIFE));
}

/* --- the pool --- */

static struct rig rig;

struct outcome {
    unsigned good, bad;
};

static void note(void *owner, bool good)
{
    struct outcome *outcome = owner;
    *(good ? &outcome->good : &outcome->bad) += 1;
}

TEST(the_password_pool_delivers_on_the_loop_that_asked)
{
    rig_init(&rig);
    struct outcome outcome = {0};
    for (int i = 0; i < 10; i++)
        assert_non_null(password_pool_submit(&rig.worker->loop, S(APR1),
                                             i % 2 ? S("secret") : S("wrong"), note, &outcome));
    int64_t limit = time_monotonic() + 10 * TIME_S;
    while (outcome.good + outcome.bad < 10 && time_monotonic() < limit)
        loop_turn(&rig.worker->loop, 100 * TIME_MS);
    assert_int_equal(outcome.good, 5);
    assert_int_equal(outcome.bad, 5);
    password_pool_stop();
    rig_release(&rig);
}

TEST(the_password_pool_leaves_abandoned_owners_alone)
{
    rig_init(&rig);
    struct outcome gone = {0}, waits = {0};
    struct password_job *job =
        password_pool_submit(&rig.worker->loop, S(APR1), S("x"), note, &gone);
    assert_non_null(job);
    password_job_abandon(job);
    assert_non_null(password_pool_submit(&rig.worker->loop, S(BCRYPT), S("y"), note, &waits));
    int64_t limit = time_monotonic() + 10 * TIME_S;
    while (waits.bad == 0 && time_monotonic() < limit)
        loop_turn(&rig.worker->loop, 100 * TIME_MS);
    assert_int_equal(waits.bad, 1);
    password_pool_stop();
    loop_turn(&rig.worker->loop, 0); /* the other may have been slower */
    assert_int_equal(gone.good + gone.bad, 0);
    rig_release(&rig);
}

TEST(the_password_pool_refuses_more_than_it_can_do_in_good_time)
{
    rig_init(&rig);
    struct outcome outcome = {0};
    unsigned taken = 0;
    while (taken < 1000 &&
           password_pool_submit(&rig.worker->loop, S(SHA512), S("x"), note, &outcome) != NULL)
        taken++;
    assert_in_range(taken, 128, 999);
    password_pool_stop();
    loop_turn(&rig.worker->loop, 0);
    rig_release(&rig);
}

/* --- the middleware --- */

static void configure(const char *options)
{
    rig_init(&rig);
    if (!rig_configure(&rig, "basicAuth", options))
        fail_msg("%s", rig_reported(&rig));
}

/* Sends "user:password"; waits where the middleware does. */
static enum verdict ask(const char *credentials)
{
    char encoded[200];
    rig_begin(&rig, "GET", "http://example.com/");
    size_t len = base64_encode(BASE64_STANDARD, str_from(credentials), encoded);
    struct str value = arena_printf(&rig.x.arena, "Basic %.*s", (int)len, encoded);
    rig_field(&rig, "Authorization", value.data);
    enum verdict verdict = rig_request(&rig);
    if (verdict == VERDICT_WAIT) {
        rig_wait(&rig);
        verdict = rig_request(&rig);
    }
    rig_finish(&rig);
    return verdict;
}

static void end(void)
{
    password_pool_stop();
    rig_release(&rig);
}

TEST(basic_auth_asks_who_sends_nothing_that_it_can_read)
{
    configure("users: ['ann:" SHA1 "']");
    const char *const values[] = {NULL, "Bearer x", "Basic", "Basic !!", "Basic YW5u"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        rig_begin(&rig, "GET", "http://example.com/");
        if (values[i] != NULL)
            rig_field(&rig, "Authorization", values[i]);
        assert_int_equal(rig_request(&rig), VERDICT_ANSWER);
        assert_int_equal(rig.x.response.status, 401);
        assert_int_equal(rig.x.failure, STATUS_UNAUTHORIZED);
        assert_str_equal(rig_response_field(&rig, "WWW-Authenticate"),
                         S("Basic realm=\"traefik\""));
    }
    end();
}

TEST(basic_auth_quotes_its_realm)
{
    configure("{users: ['ann:" SHA1 "'], realm: 'a \"b\\c'}");
    rig_begin(&rig, "GET", "http://example.com/");
    assert_int_equal(rig_request(&rig), VERDICT_ANSWER);
    assert_str_equal(rig_response_field(&rig, "WWW-Authenticate"),
                     S("Basic realm=\"a \\\"b\\\\c\""));
    end();
}

TEST(basic_auth_lets_users_of_every_kind_of_hash_pass)
{
    configure("users: ['a:" BCRYPT "', 'b:" APR1 "', 'c:" SHA1 "', 'd:" SHA256 "', 'e:" SHA512
              "', 'f:" YESCRYPT "']");
    const char *const good[] = {"a:secret", "b:secret", "c:secret",
                                "d:secret", "e:secret", "f:secret"};
    const char *const bad[] = {"a:x", "b:x",      "c:x",     "d:x", "e:x",
                               "f:x", "g:secret", ":secret", "a:"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(ask(good[i]), VERDICT_NEXT);
        assert_str_equal(rig.x.user, str_first(str_from(good[i]), 1));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(ask(bad[i]), VERDICT_ANSWER);
        assert_int_equal(rig.x.response.status, 401);
        assert_int_equal(rig.x.user.len, 0);
    }
    end();
}

TEST(basic_auth_does_not_wait_for_a_password_that_it_remembers)
{
    configure("users: ['ann:" BCRYPT "']");
    assert_int_equal(ask("ann:secret"), VERDICT_NEXT);
    rig_begin(&rig, "GET", "http://example.com/");
    rig_field(&rig, "Authorization", "basic YW5uOnNlY3JldA==");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    /* The same password of a user that does not exist is no password. */
    rig_begin(&rig, "GET", "http://example.com/");
    rig_field(&rig, "Authorization", "Basic Ym9iOnNlY3JldA==");
    assert_int_equal(rig_request(&rig), VERDICT_ANSWER);
    end();
}

TEST(basic_auth_tells_the_server_who_it_is_and_hides_the_password)
{
    configure("{users: ['ann:" SHA1 "'], headerField: X-WebAuth-User, removeHeader: true}");
    assert_int_equal(ask("ann:secret"), VERDICT_NEXT);
    assert_str_equal(rig_request_field(&rig, "X-WebAuth-User"), S("ann"));
    assert_null(rig_request_field(&rig, "Authorization").data);
    end();
}

TEST(basic_auth_survives_a_client_that_leaves_while_its_password_is_checked)
{
    configure("users: ['ann:" SHA512 "']");
    rig_begin(&rig, "GET", "http://example.com/");
    rig_field(&rig, "Authorization", "Basic YW5uOnh5eg==");
    assert_int_equal(rig_request(&rig), VERDICT_WAIT);
    rig.x.waiting = true;
    rig_finish(&rig);
    password_pool_stop();
    loop_turn(&rig.worker->loop, 0);
    assert_true(rig.x.waiting);
    rig_release(&rig);
}

TEST(basic_auth_reads_a_file_of_users)
{
    char path[] = "/tmp/portico_users_XXXXXX", options[200];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_true(file_write(path, S("# users\n\nann:" SHA1 "\r\nbob:" APR1), 0600));
    snprintf(options, sizeof(options), "{usersFile: '%s', users: ['eve:" SHA1 "']}", path);
    configure(options);
    assert_int_equal(ask("ann:secret"), VERDICT_NEXT);
    assert_int_equal(ask("bob:secret"), VERDICT_NEXT);
    assert_int_equal(ask("eve:secret"), VERDICT_NEXT);
    end();
    assert_true(file_write(path, S("ann:" SHA1 "\nbob\n"), 0600));
    rig_init(&rig);
    assert_false(rig_configure(&rig, "basicAuth", options));
    assert_non_null(strstr(rig_reported(&rig), "line 2 of"));
    rig_release(&rig);
    unlink(path);
}

static bool is_refused(const char *options, const char *report)
{
    rig_init(&rig);
    bool refused =
        !rig_configure(&rig, "basicAuth", options) && strstr(rig_reported(&rig), report) != NULL;
    if (strstr(rig_reported(&rig), "secret") != NULL)
        fail_msg("%s", rig_reported(&rig));
    rig_release(&rig);
    return refused;
}

TEST(basic_auth_refuses_users_that_could_never_pass)
{
    assert_true(is_refused("{}", "there is no user"));
    assert_true(is_refused("users: []", "there is no user"));
    assert_true(is_refused("users: ['ann']", "entry 1 of 'users' is not of the form"));
    assert_true(is_refused("users: ['ann:" SHA1 "', 'bob:plainsecret']",
                           "the hash of user 'bob' in entry 2 of 'users' is not"));
    assert_true(is_refused("usersFile: /nonexistent/users", "cannot read '/nonexistent/users'"));
}

TEST(basic_auth_takes_the_last_of_two_users_of_one_name)
{
    configure("users: ['ann:{SHA}AAAAAAAAAAAAAAAAAAAAAAAAAAA=', 'ann:" SHA1 "']");
    assert_non_null(strstr(rig_reported(&rig), "user 'ann' is given twice"));
    assert_int_equal(ask("ann:secret"), VERDICT_NEXT);
    end();
}

TEST(basic_auth_reads_a_live_file_again_when_it_has_changed)
{
    char path[] = "/tmp/portico_users_XXXXXX", options[200];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_true(file_write(path, S("# users\r\nann:" SHA1 ":a comment\nann:{PLAIN}other\n\nbob:{PLAIN}plain"), 0600));
    snprintf(options, sizeof(options), "{liveUsersFile: '%s'}", path);
    configure(options);
    assert_int_equal(ask("ann:secret"), VERDICT_NEXT);
    assert_str_equal(rig.x.user, S("ann"));
    assert_int_equal(ask("ann:other"), VERDICT_ANSWER);
    assert_int_equal(ask("bob:plain"), VERDICT_NEXT);
    assert_int_equal(ask("# users:x"), VERDICT_ANSWER);
    assert_true(file_write(path, S("bob:{PLAIN}changed\n"), 0600));
    assert_int_equal(ask("bob:plain"), VERDICT_ANSWER);
    assert_int_equal(ask("bob:changed"), VERDICT_NEXT);
    assert_int_equal(ask("ann:secret"), VERDICT_ANSWER);
    assert_int_equal(rig.x.response.status, 401);
    unlink(path);
    assert_int_equal(ask("bob:changed"), VERDICT_ANSWER);
    assert_int_equal(rig.x.response.status, 403);
    end();
    configure("{liveUsersFile: '/tmp'}");
    assert_int_equal(ask("bob:changed"), VERDICT_ANSWER);
    assert_int_equal(rig.x.response.status, 500);
    end();
}

TEST(basic_auth_has_a_realm_with_variables)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "basicAuth", "{realm: '${arg_realm}', users: ['ann:" SHA1 "']}"));
    rig_begin(&rig, "GET", "http://example.com/?realm=here");
    assert_int_equal(rig_request(&rig), VERDICT_ANSWER);
    assert_str_equal(rig_response_field(&rig, "WWW-Authenticate"), S("Basic realm=\"here\""));
    assert_false(rig.m.type->abstains(&rig.x, &rig.m));
    rig_begin(&rig, "GET", "http://example.com/?realm=off");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    assert_true(rig.m.type->abstains(&rig.x, &rig.m));
    rig_finish(&rig);
    rig_release(&rig);
}

TEST(passwords_with_salt_and_plain_ones_are_verified)
{
    /* the sum of "secret" and the salt "salt" */
    struct str salted = S("{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0");
    assert_true(password_verify(salted, S("secret")));
    assert_false(password_verify(salted, S("secre")));
    assert_false(password_verify(S("{SSHA}Zm9vCg=="), S("secret")));
    assert_false(password_verify(S("{SSHA}"), S("")));
    assert_true(password_verify(S("{PLAIN}secret"), S("secret")));
    assert_false(password_verify(S("{PLAIN}secret"), S("secret2")));
    assert_true(password_verify(S("abNANd1rDfiNc"), S("secret")));
}
