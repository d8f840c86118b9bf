#include "test.h"

#include "proto/h1/line_ends.h"

static const struct h1_limits limits = {.line_bytes = 1000, .head_bytes = 1000, .field_count = 10};

static void assert_repaired(const char *text, const char *wanted, size_t length)
{
    struct arena arena;
    struct str head;
    size_t taken;
    arena_init(&arena, ARENA_UNLIMITED);
    assert_true(h1_has_bare_feed(str_from(text)));
    assert_int_equal(h1_repair_line_ends(str_from(text), &limits, &arena, &head, &taken), STATUS_OK);
    assert_int_equal(head.len, strlen(wanted));
    assert_memory_equal(head.data, wanted, head.len);
    assert_int_equal(taken, length);
    arena_release(&arena);
}

TEST(bare_feeds_become_line_ends_up_to_the_empty_line)
{
    assert_repaired("GET / HTTP/1.0\nHost: a\n\nbody\n", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", 24);
    assert_repaired("GET / HTTP/1.0\r\nHost: a\n\r\nbody", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", 26);
    assert_repaired("\n\r\nGET / HTTP/1.0\n\n", "GET / HTTP/1.0\r\n\r\n", 19);
}

TEST(a_head_without_its_end_is_waited_for_as_long_as_it_may_be)
{
    struct arena arena;
    struct str head;
    size_t taken;
    char large[1200];
    memset(large, 'x', sizeof(large));
    arena_init(&arena, ARENA_UNLIMITED);
    assert_int_equal(h1_repair_line_ends(S("GET / HTTP/1.0\nHost: a\n"), &limits, &arena, &head, &taken), STATUS_AGAIN);
    assert_int_equal(h1_repair_line_ends(str_of(large, sizeof(large)), &limits, &arena, &head, &taken), STATUS_FIELDS_TOO_LARGE);
    arena_release(&arena);
}

TEST(a_head_as_it_should_be_needs_no_repair)
{
    assert_false(h1_has_bare_feed(S("GET / HTTP/1.1\r\nHost: a\r\n\r\nbody\nwith\nfeeds")));
    assert_false(h1_has_bare_feed(S("GET / HTTP/1.1\r\nHost: a")));
}
