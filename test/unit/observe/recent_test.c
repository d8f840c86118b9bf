#include "observe/recent.h"

#include "base/time.h"
#include "test.h"

struct kept {
    struct worker worker;
    struct client client;
    struct access_record record;
    struct arena arena;
};

static void begin(struct kept *kept)
{
    memset(kept, 0, sizeof(*kept));
    kept->worker.loop.now = 1000 * TIME_S;
    kept->client.tls = true;
    kept->record = (struct access_record){.client = &kept->client, .method_name = S("GET"), .authority = S("a.example"),
                                          .path = S("/x"), .router = S("a@file"), .client_ip = S("192.0.2.1"),
                                          .reason_detail = "why", .status = 200, .total = 5};
    arena_init(&kept->arena, ARENA_UNLIMITED);
    recent_init(&kept->worker);
}

static void end(struct kept *kept)
{
    recent_release(&kept->worker);
    arena_release(&kept->arena);
}

static void add(struct kept *kept, bool failed)
{
    recent_add(&kept->worker, &kept->record, failed);
}

TEST(recent_keeps_what_is_known_of_a_request)
{
    struct kept kept;
    struct recent_entry *entries;
    begin(&kept);
    add(&kept, false);
    assert_int_equal(recent_copy(&kept.worker, true, 0, &kept.arena, &entries), 0);
    assert_int_equal(recent_copy(&kept.worker, false, 0, &kept.arena, &entries), 1);
    assert_true(entries[0].number != 0);
    assert_int_equal(entries[0].status, 200);
    assert_int_equal(entries[0].total, 5);
    assert_true(entries[0].tls);
    assert_str_equal(entries[0].host, S("a.example"));
    assert_str_equal(entries[0].path, S("/x"));
    assert_str_equal(entries[0].router, S("a@file"));
    assert_str_equal(entries[0].client, S("192.0.2.1"));
    assert_str_equal(entries[0].detail, S("why"));
    assert_int_equal(entries[0].user.len, 0);
    end(&kept);
}

TEST(recent_forgets_the_oldest_and_keeps_failures_apart)
{
    struct kept kept;
    struct recent_entry *entries;
    begin(&kept);
    add(&kept, true);
    for (int i = 0; i < RECENT_REQUESTS + 10; i++)
        add(&kept, false);
    assert_int_equal(recent_copy(&kept.worker, false, 0, &kept.arena, &entries), RECENT_REQUESTS);
    uint64_t oldest = entries[0].number;
    assert_int_equal(entries[RECENT_REQUESTS - 1].number, oldest + RECENT_REQUESTS - 1);
    assert_int_equal(recent_copy(&kept.worker, true, 0, &kept.arena, &entries), 1);
    assert_int_equal(entries[0].number, oldest - 11);
    end(&kept);
}

TEST(recent_gives_those_that_came_after_a_number)
{
    struct kept kept;
    struct recent_entry *entries;
    begin(&kept);
    for (int i = 0; i < 5; i++)
        add(&kept, false);
    assert_int_equal(recent_copy(&kept.worker, false, 0, &kept.arena, &entries), 5);
    uint64_t third = entries[2].number;
    assert_int_equal(recent_copy(&kept.worker, false, third, &kept.arena, &entries), 2);
    assert_int_equal(entries[0].number, third + 1);
    assert_int_equal(recent_copy(&kept.worker, false, third + 2, &kept.arena, &entries), 0);
    end(&kept);
}

TEST(recent_cuts_long_texts_but_leaves_the_path_its_room)
{
    struct kept kept;
    struct recent_entry *entries;
    char longest[1000];
    memset(longest, 'x', sizeof(longest));
    begin(&kept);
    kept.record.authority = kept.record.path = kept.record.user = str_of(longest, sizeof(longest));
    add(&kept, true);
    assert_int_equal(recent_copy(&kept.worker, true, 0, &kept.arena, &entries), 1);
    assert_str_equal(entries[0].router, S("a@file"));
    assert_str_equal(entries[0].method, S("GET"));
    assert_true(entries[0].host.len > 200);
    assert_int_equal(entries[0].user.len, 0);
    assert_int_equal(entries[0].path.len, 120);
    end(&kept);
}

TEST(recent_wants_so_many_a_second_and_failures_by_a_budget_of_their_own)
{
    struct kept kept;
    begin(&kept);
    for (int second = 0; second < 2; second++) {
        for (int i = 0; i < RECENT_RATE; i++)
            assert_true(recent_wants(&kept.worker, false));
        assert_false(recent_wants(&kept.worker, false));
        for (int i = 0; i < RECENT_FAILURE_RATE; i++)
            assert_true(recent_wants(&kept.worker, true));
        assert_false(recent_wants(&kept.worker, true));
        kept.worker.loop.now += TIME_S;
    }
    end(&kept);
    assert_false(recent_wants(&kept.worker, true));
}
