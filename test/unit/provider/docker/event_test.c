#include "provider/docker/event.h"

#include <stdio.h>

#include "recorded.h"

#define ID "ada7e913226f031e419a72534ea79d92bcff2012e61b4c2685388575fba0ab23"

static struct engine_event read_one(const char *type, const char *action, const char *attributes)
{
    char line[1000];
    snprintf(line, sizeof(line), "{\"Type\":\"%s\",\"Action\":\"%s\",\"Actor\":{\"ID\":\"" ID "\",\"Attributes\":{%s}}}", type, action, attributes);
    return event_read(str_from(line));
}

/* How many of each kind the recorded stream has. */
static void count_kinds(const char *name, unsigned counts[EVENT_SERVICE + 1])
{
    struct arena arena;
    struct str line;
    arena_init(&arena, ARENA_UNLIMITED);
    struct str rest = recorded(&arena, name);
    while (str_split(&rest, '\n', &line))
        if (!str_empty(line))
            counts[event_read(line).kind]++;
    arena_release(&arena);
}

TEST(dockers_stream_is_understood)
{
    unsigned counts[EVENT_SERVICE + 1] = {0};
    count_kinds("docker-20.10/events.jsonl", counts);
    assert_int_equal(counts[EVENT_STARTED], 1);
    assert_int_equal(counts[EVENT_KILLED], 3);
    assert_int_equal(counts[EVENT_DIED], 1);
    assert_int_equal(counts[EVENT_REMOVED], 1);
    assert_int_equal(counts[EVENT_NONE], 3);      /* exec_create, exec_start, attach */
}

TEST(an_event_of_what_has_no_proper_id_is_passed_over)
{
    static const char *const ids[] = {"../../../../etc/passwd", "abc", "ada7e913226g031e", "ada7e913226f\\u0000", ID "0"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        char line[400];
        snprintf(line, sizeof(line), "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"%s\"}}", ids[i]);
        assert_int_equal(event_read(str_from(line)).kind, EVENT_NONE);
        snprintf(line, sizeof(line),
                 "{\"Type\":\"network\",\"Action\":\"connect\",\"Actor\":{\"ID\":\"" ID "\",\"Attributes\":{\"container\":\"%s\"}}}", ids[i]);
        assert_int_equal(event_read(str_from(line)).kind, EVENT_NONE);
    }
}

TEST(podmans_stream_is_understood)
{
    unsigned counts[EVENT_SERVICE + 1] = {0};
    count_kinds("podman-4.3/events.jsonl", counts);
    assert_int_equal(counts[EVENT_STARTED], 1);
    assert_int_equal(counts[EVENT_REMOVED], 1);
    assert_int_equal(counts[EVENT_KILLED], 1);
    assert_int_equal(counts[EVENT_NONE], 1);      /* init */
}

TEST(a_kill_tells_its_signal_where_the_engine_does)
{
    assert_int_equal(read_one("container", "kill", "\"signal\":\"1\"").signal, 1);
    assert_int_equal(read_one("container", "kill", "\"signal\":\"SIGTERM\"").signal, 15);
    struct engine_event podmans = read_one("container", "kill", "");
    assert_int_equal(podmans.kind, EVENT_KILLED);
    assert_int_equal(podmans.signal, 0);
}

TEST(a_death_tells_the_exit_code)
{
    struct engine_event event = read_one("container", "die", "\"exitCode\":\"137\"");
    assert_int_equal(event.kind, EVENT_DIED);
    assert_int_equal(event.exit_code, 137);
    assert_string_equal(event.id, ID);
}

TEST(a_networks_event_concerns_the_container_that_it_names)
{
    struct engine_event event = read_one("network", "connect", "\"container\":\"0123456789abcdef\"");
    assert_int_equal(event.kind, EVENT_CHANGED);
    assert_string_equal(event.id, "0123456789abcdef");
    assert_string_equal(read_one("network", "disconnect", "").id, ID);
    assert_int_equal(read_one("network", "create", "").kind, EVENT_NONE);
}

TEST(health_is_told_with_its_value_behind_a_colon)
{
    assert_int_equal(read_one("container", "health_status: healthy", "").kind, EVENT_CHANGED);
    assert_int_equal(read_one("container", "exec_die", "").kind, EVENT_NONE);
    assert_int_equal(read_one("container", "REMOVE", "").kind, EVENT_REMOVED);
}

TEST(a_task_is_known_by_its_label)
{
    assert_true(read_one("container", "start", "\"com.docker.swarm.task.id\":\"x\"").of_task);
    assert_false(read_one("container", "start", "").of_task);
    assert_int_equal(read_one("service", "update", "").kind, EVENT_SERVICE);
}

TEST(what_is_no_event_is_nothing)
{
    static const char *const lines[] = {"", "x", "{}", "[1]", "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"short\"}}"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_int_equal(event_read(str_from(lines[i])).kind, EVENT_NONE);
}
