#include "test.h"

#include "exchange/hold.h"
#include "exchange/spool.h"

struct endless {
    struct body_source source;
    struct chunk_pool pool;
    struct arena arena;
    struct spool *spool;
    struct loop loop;       /* only its clock is looked at */
};

static enum status read_endlessly(struct body_source *source, struct chunkq *into, size_t max)
{
    struct endless *endless = container_of(source, struct endless, source);
    static char piece[1000];
    return chunkq_add_copy(into, &endless->pool, str_of(piece, sizeof(piece))) ? STATUS_OK : STATUS_OVERLOADED;
}

static const struct body_source_ops endless_source = {.read = read_endlessly};

static void begin(struct endless *endless)
{
    *endless = (struct endless){.source = {&endless_source}};
    arena_init(&endless->arena, ARENA_UNLIMITED);
    chunk_pool_init(&endless->pool, 4, 4, 0);
    endless->spool = spool_new(&endless->arena, &endless->pool, 1 << 20);
    assert_non_null(endless->spool);
}

static void end(struct endless *endless)
{
    spool_release(endless->spool);
    assert_int_equal(chunk_pool_in_use(&endless->pool), 0);
    chunk_pool_release(&endless->pool);
    arena_release(&endless->arena);
}

TEST(hold_leaves_the_rest_of_a_body_to_the_next_turn_when_this_one_is_long)
{
    struct endless endless;
    begin(&endless);
    bool yielded = false;
    endless.loop.now = time_monotonic() - LOOP_TURN_ENOUGH;
    assert_int_equal(hold_gather(endless.spool, &endless.source, 100000, &endless.loop, &yielded), STATUS_AGAIN);
    assert_true(yielded);
    assert_int_equal(spool_length(endless.spool), 1000);
    end(&endless);
}

TEST(hold_reads_on_for_who_does_not_yield_and_does_not_yield_with_the_last_byte)
{
    struct endless endless;
    begin(&endless);
    assert_int_equal(hold_gather(endless.spool, &endless.source, 100000, NULL, NULL), STATUS_OK);
    assert_int_equal(spool_length(endless.spool), 100000);
    bool yielded = false;
    endless.loop.now = time_monotonic() - LOOP_TURN_ENOUGH;
    assert_int_equal(hold_gather(endless.spool, &endless.source, 101000, &endless.loop, &yielded), STATUS_OK);
    assert_false(yielded);
    end(&endless);
}
