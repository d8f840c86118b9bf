#include "admin/history.h"

#include <jansson.h>
#include <stdio.h>

#include "base/time.h"
#include "test.h"

/* The clocks of these tests: monotonic seconds from 1000 on, Unix milliseconds beside them. */
#define WALL(second) (INT64_C(1700000000000) + ((second) - 1000) * 1000)

static void at(int64_t second)
{
    history_advance(second, WALL(second));
}

static struct meter_sum requests(uint64_t count, uint64_t errors, int64_t latency)
{
    struct meter_sum sum = {.count = count, .errors = errors, .bytes_out = 100 * count};
    sum.buckets[meter_bucket_of(latency)] = count;
    return sum;
}

static void record(const char *key, int64_t seconds, uint64_t count)
{
    struct meter_sum sum = requests(count, 0, 10 * TIME_MS);
    history_record(str_from(key), seconds, &sum);
}

static json_t *shown(const char *key, int64_t seconds)
{
    struct text text;
    struct json json = {.out = &text};
    text_init(&text, (size_t)1 << 24);
    history_show(str_from(key), seconds, &json);
    json_t *value = json_loads(text_c(&text), 0, NULL);
    assert_non_null(value);
    text_release(&text);
    return value;
}

static json_int_t number(const json_t *value, const char *column, size_t index)
{
    return json_integer_value(json_array_get(json_object_get(value, column), index));
}

static json_int_t sum_of(const char *key, int64_t seconds)
{
    json_t *value = shown(key, seconds), *column = json_object_get(value, "requests");
    json_int_t sum = 0;
    for (size_t i = 0; i < json_array_size(column); i++)
        sum += json_integer_value(json_array_get(column, i));
    json_decref(value);
    return sum;
}

TEST(history_keeps_each_second_in_its_place)
{
    at(1000);
    for (int64_t second = 1001; second <= 1010; second++) {
        at(second);
        if (second % 2 == 0)
            record("total", 1, (uint64_t)(second - 1000));
    }
    json_t *value = shown("total", 300);
    assert_int_equal(json_array_size(json_object_get(value, "requests")), 10);
    assert_int_equal(json_integer_value(json_object_get(value, "step")), 1);
    assert_int_equal(json_integer_value(json_object_get(value, "from")), WALL(1000));
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(number(value, "requests", i), i % 2 == 1 ? i + 1 : 0);
    assert_int_equal(number(value, "bytesOut", 9), 1000);
    assert_true(json_is_null(json_array_get(json_object_get(value, "p95"), 0)));
    double p50 = json_real_value(json_array_get(json_object_get(value, "p50"), 9));
    assert_true(p50 > 8 && p50 < 13);
    json_decref(value);
    assert_int_equal(sum_of("total", 3), 8 + 10);
    history_release();
}

TEST(history_forgets_what_is_older_than_its_rings)
{
    at(1000);
    at(1001);
    record("total", 1, 5);
    record("router:a", 1, 5);
    at(1001 + HISTORY_SECONDS);
    record("total", 1, 1);
    assert_int_equal(sum_of("total", HISTORY_SECONDS), 1);
    assert_int_equal(sum_of("router:a", HISTORY_SECONDS), 0);
    assert_int_equal(sum_of("total", 7200), 6);
    assert_int_equal(sum_of("router:a", 7200), 5);
    at(1001 + 10 * HISTORY_TENS + 20);
    record("total", 1, 2);
    assert_int_equal(sum_of("total", 7200), 3);
    history_release();
}

TEST(history_spreads_a_long_tick_and_loses_nothing)
{
    at(1000);
    at(1004);
    record("total", 4, 11);
    json_t *value = shown("total", 4);
    const json_int_t expected[] = {2, 2, 2, 5};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(number(value, "requests", i), expected[i]);
    json_decref(value);
    assert_int_equal(sum_of("total", 1000), 11);
    history_release();
}

TEST(history_in_tens_has_the_latencies_of_all_ten)
{
    at(1000);
    for (int64_t second = 1010; second < 1020; second++) {
        struct meter_sum sum = requests(1, 0, second == 1019 ? 1000 * TIME_MS : 10 * TIME_MS);
        at(second);
        history_record(S("total"), 1, &sum);
    }
    json_t *value = shown("total", 600), *p50s = json_object_get(value, "p50");
    size_t last = json_array_size(p50s) - 1;
    assert_int_equal(number(value, "requests", last), 10);
    assert_true(json_number_value(json_array_get(p50s, last)) < 15);
    assert_true(json_number_value(json_array_get(json_object_get(value, "p99"), last)) > 800);
    assert_int_equal(json_integer_value(json_object_get(value, "from")), WALL(1019) - (json_int_t)(last + 1) * 10000);
    json_decref(value);
    history_release();
}

TEST(history_of_what_had_no_request_is_nothing)
{
    at(1000);
    at(1003);
    json_t *value = shown("service:quiet", 300);
    assert_int_equal(json_array_size(json_object_get(value, "requests")), 3);
    assert_int_equal(sum_of("service:quiet", 300), 0);
    assert_null(json_object_get(value, "heat"));
    json_decref(value);
    history_release();
}

TEST(history_makes_room_for_the_busy_by_letting_the_quiet_go)
{
    char key[32];
    at(1000);
    at(1001);
    for (int i = 0; i < HISTORY_SERIES_MAX; i++) {
        snprintf(key, sizeof(key), "router:%d", i);
        record(key, 1, 1);
    }
    record("entryPoint:web", 1, 1);
    record("router:late", 1, 7);
    assert_int_equal(sum_of("router:late", 300), 0);      /* nobody has been quiet for long */
    assert_int_equal(sum_of("entryPoint:web", 300), 1);
    for (int i = 1; i < HISTORY_SERIES_MAX; i++) {
        at(1080);
        snprintf(key, sizeof(key), "router:%d", i);
        record(key, 1, 1);
    }
    at(1081);
    record("router:late", 1, 7);
    assert_int_equal(sum_of("router:late", 300), 7);
    assert_int_equal(sum_of("router:0", 300), 0);
    assert_int_equal(sum_of("router:1", 300), 2);
    assert_int_equal(sum_of("entryPoint:web", 300), 1);
    history_release();
}

TEST(history_heat_counts_every_request)
{
    at(1000);
    at(1001);
    record("total", 1, 9);
    json_t *value = shown("total", 300), *heat = json_object_get(value, "heat");
    json_int_t sum = 0;
    for (size_t i = 0; i < HISTORY_HEAT_BUCKETS; i++)
        sum += json_integer_value(json_array_get(json_array_get(heat, 0), i));
    assert_int_equal(sum, 9);
    assert_int_equal(json_array_size(json_object_get(value, "heatEnds")), HISTORY_HEAT_BUCKETS);
    json_decref(value);
    history_release();
}
