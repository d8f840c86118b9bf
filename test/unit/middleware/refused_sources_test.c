#include "middleware/refused_sources.h"

#include <jansson.h>

#include "base/time.h"
#include "test.h"

static json_t *told(struct refused_sources *sources, int64_t now)
{
    struct text text;
    struct json json = {.out = &text};
    text_init(&text, 65536);
    json_open_object(&json);
    refused_sources_report(sources, now, &json);
    json_end(&json);
    json_t *value = json_loads(text_c(&text), 0, NULL);
    assert_non_null(value);
    text_release(&text);
    return value;
}

static const char *source_at(const json_t *value, size_t index)
{
    return json_string_value(json_object_get(json_array_get(json_object_get(value, "mostRefused"), index), "source"));
}

TEST(who_is_refused_most_is_told_first)
{
    struct refused_sources sources = {.items = {{.key = 0}}};
    refused_sources_init(&sources);
    refused_sources_note(&sources, 1, S("10.0.0.1"), 5 * TIME_S);
    for (int i = 0; i < 3; i++)
        refused_sources_note(&sources, 2, S("10.0.0.2"), 7 * TIME_S);
    json_t *value = told(&sources, 9 * TIME_S);
    assert_int_equal(json_integer_value(json_object_get(value, "refused")), 4);
    assert_string_equal(source_at(value, 0), "10.0.0.2");
    assert_string_equal(source_at(value, 1), "10.0.0.1");
    json_t *first = json_array_get(json_object_get(value, "mostRefused"), 0);
    assert_int_equal(json_integer_value(json_object_get(first, "count")), 3);
    assert_int_equal(json_integer_value(json_object_get(first, "secondsAgo")), 2);
    json_decref(value);
    refused_sources_release(&sources);
}

TEST(who_is_known_is_counted_without_words)
{
    struct refused_sources sources = {.items = {{.key = 0}}};
    refused_sources_init(&sources);
    assert_false(refused_sources_count(&sources, 1, 5 * TIME_S));
    refused_sources_note(&sources, 1, S("10.0.0.1"), 5 * TIME_S);
    assert_true(refused_sources_count(&sources, 1, 7 * TIME_S));
    assert_false(refused_sources_count(&sources, 2, 7 * TIME_S));
    json_t *value = told(&sources, 9 * TIME_S);
    assert_int_equal(json_integer_value(json_object_get(value, "refused")), 2);
    json_t *first = json_array_get(json_object_get(value, "mostRefused"), 0);
    assert_int_equal(json_integer_value(json_object_get(first, "count")), 2);
    assert_int_equal(json_integer_value(json_object_get(first, "secondsAgo")), 2);
    json_decref(value);
    refused_sources_release(&sources);
}

TEST(of_many_sources_those_refused_often_stay)
{
    struct refused_sources sources = {.items = {{.key = 0}}};
    refused_sources_init(&sources);
    for (uint64_t i = 0; i < 1000; i++) {
        refused_sources_note(&sources, 1000 + i, S("once"), 0);
        if (i % 4 == 0)
            refused_sources_note(&sources, 1, S("often"), 0);
    }
    json_t *value = told(&sources, 0);
    assert_string_equal(source_at(value, 0), "often");
    assert_int_equal(json_array_size(json_object_get(value, "mostRefused")), REFUSED_SOURCES_MAX);
    json_decref(value);
    refused_sources_release(&sources);
}

#define COUNTS 20000

static void *count_often(void *argument)
{
    struct refused_sources *sources = argument;
    for (uint64_t i = 0; i < COUNTS; i++) {
        uint64_t key = i % 7 == 0 ? 100 + i : 1 + i % 3;
        if (!refused_sources_count(sources, key, 0))
            refused_sources_note(sources, key, S("somebody"), 0);
    }
    return NULL;
}

TEST(no_refusal_is_lost_while_several_threads_count)
{
    struct refused_sources sources = {.items = {{.key = 0}}};
    refused_sources_init(&sources);
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_often, &sources), 0);
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(refused_sources_total(&sources), 3 * COUNTS);
    refused_sources_release(&sources);
}
