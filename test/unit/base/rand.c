#include "base/rand.h"

#include <pthread.h>

#include "test.h"

TEST(rand_below_reaches_every_value_and_stays_below)
{
    unsigned seen[6] = {0};
    for (int i = 0; i < 60000; i++) {
        uint32_t value = rand_below(6);
        assert_true(value < 6);
        seen[value]++;
    }
    /* 10000 +- 91 each: ten deviations are no chance */
    for (size_t i = 0; i < 6; i++)
        assert_in_range(seen[i], 9000, 11000);
    assert_int_equal(rand_below(1), 0);
}

TEST(rand_bytes_fills_all_of_a_large_buffer_and_nothing_behind_it)
{
    static unsigned char bytes[5001];
    unsigned zeros = 0;
    memset(bytes, 0, sizeof(bytes));
    rand_bytes(bytes, 5000);
    for (size_t i = 0; i < 5000; i++)
        zeros += bytes[i] == 0;
    assert_true(zeros < 100);
    assert_int_equal(bytes[5000], 0);
}

static void *draw(void *out)
{
    *(uint64_t *)out = rand_u64();
    return NULL;
}

TEST(rand_differs_from_thread_to_thread)
{
    uint64_t values[2];
    for (size_t i = 0; i < 2; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, draw, &values[i]), 0);
        pthread_join(thread, NULL);
    }
    assert_true(values[0] != values[1]);
}
