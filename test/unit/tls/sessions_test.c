/* What is kept of sessions: found by both versions' clients, bounded, and only where it was begun. */
#include "tls/sessions.h"

#include "tls/pair.h"

static struct pair pair;
static struct tls_session_cache cache = {.size = 65536};

static void begin(int version)
{
    pair_init(&pair);
    pair.options.disable_session_tickets = true;
    pair.options.session_cache = &cache;
    pair.options.max_version = version;
    pair_compile(&pair);
}

/* A first connection, and a second that brings its session along. */
static bool resumes(void)
{
    pair_open(&pair, NULL, false, 0);
    pair_shake(&pair);
    pair_pass(&pair, &pair.server, &pair.peer, S("response"));
    assert_non_null(pair.session);
    SSL_SESSION *session = SSL_SESSION_dup(pair.session);
    pair_close(&pair);
    pair_open(&pair, session, false, 0);
    pair_shake(&pair);
    assert_int_equal(pair.server.status, STATUS_OK);
    bool resumed = tls_resumed(pair.server.conn);
    pair_close(&pair);
    return resumed;
}

TEST(sessions_are_resumed_without_tickets_in_tls_1_3)
{
    begin(TLS1_3_VERSION);
    assert_true(resumes());
    assert_true(sessions_count(pair.policy->sessions) >= 1);
    pair_release(&pair);
}

TEST(sessions_are_resumed_without_tickets_in_tls_1_2)
{
    begin(TLS1_2_VERSION);
    assert_true(resumes());
    assert_int_equal(sessions_count(pair.policy->sessions), 1);
    pair_release(&pair);
}

TEST(a_small_cache_forgets_its_oldest_sessions)
{
    cache.size = 4096;
    begin(TLS1_2_VERSION);
    size_t most = 0;
    for (int i = 0; i < 60; i++) {
        pair_connect(&pair);
        pair_close(&pair);
        size_t count = sessions_count(pair.policy->sessions);
        most = count > most ? count : most;
    }
    assert_in_range(most, 2, 59);
    assert_true(resumes());
    pair_release(&pair);
    cache.size = 65536;
}

TEST(caches_of_a_name_are_one)
{
    struct sessions *one = sessions_get(S("shared"), 1 << 20), *same = sessions_get(S("shared"), 1 << 21);
    struct sessions *other = sessions_get(S("another"), 4096);
    assert_ptr_equal(one, same);
    assert_ptr_not_equal(one, other);
    sessions_unref(one);
    sessions_unref(same);
    sessions_unref(other);
}
