#include "observe/trace_context.h"

#include <stdio.h>

#include "test.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

static bool parses(const char *text)
{
    struct trace_parent parent;
    return trace_parent_parse(str_from(text), &parent);
}

TEST(a_traceparent_is_read_and_written_as_it_came)
{
    struct trace_parent parent;
    char out[TRACE_PARENT_SIZE];
    const char *text = "00-" TRACE "-" SPAN "-01";
    assert_true(trace_parent_parse(str_from(text), &parent));
    assert_int_equal(parent.trace_id[0], 0x0a);
    assert_int_equal(parent.trace_id[15], 0x9c);
    assert_true(parent.span == UINT64_C(0xb7ad6b7169203331));
    assert_true(parent.sampled);
    trace_parent_format(parent.trace_id, parent.span, parent.sampled, out);
    assert_str_equal(str_of(out, sizeof(out)), str_from(text));
}

TEST(flags_beyond_the_first_are_read_past_and_not_passed_on)
{
    struct trace_parent parent;
    char out[TRACE_PARENT_SIZE];
    assert_true(trace_parent_parse(S("00-" TRACE "-" SPAN "-fe"), &parent));
    assert_false(parent.sampled);
    assert_true(trace_parent_parse(S("00-" TRACE "-" SPAN "-ff"), &parent));
    assert_true(parent.sampled);
    trace_parent_format(parent.trace_id, parent.span, parent.sampled, out);
    assert_str_equal(str_of(out + 52, 3), S("-01"));
}

TEST(a_later_versions_traceparent_is_read_as_far_as_it_is_known)
{
    assert_true(parses("01-" TRACE "-" SPAN "-01"));
    assert_true(parses("cc-" TRACE "-" SPAN "-01-more"));
    assert_true(parses("cc-" TRACE "-" SPAN "-01-"));
    assert_false(parses("cc-" TRACE "-" SPAN "-01.more"));
    assert_false(parses("ff-" TRACE "-" SPAN "-01"));
}

TEST(what_is_no_traceparent_is_refused)
{
    static const char *const bad[] = {
        "",
        "00",
        "00-" TRACE "-" SPAN,
        "00-" TRACE "-" SPAN "-",
        "00-" TRACE "-" SPAN "-0",
        "00-" TRACE "-" SPAN "-011",
        "00-" TRACE "-" SPAN "-01-more",
        "00-" TRACE "-" SPAN "-01-",
        "00-" TRACE "-" SPAN "-0x",
        "0-" TRACE "-" SPAN "-011",
        "00-00000000000000000000000000000000-" SPAN "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
        "00-" TRACE "-B7AD6B7169203331-01",
        "0A-" TRACE "-" SPAN "-01",
        "00-0af7651916cd43dd8448eb211c80319g-" SPAN "-01",
        "00_" TRACE "-" SPAN "-01",
        "00-" TRACE "_" SPAN "-01",
        "00-" TRACE "-" SPAN "_01",
        " 0-" TRACE "-" SPAN "-01",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (parses(bad[i]))
            fail_msg("\"%s\" was taken", bad[i]);
}

TEST(a_tracestate_is_a_list_of_keys_with_values)
{
    static const char *const good[] = {
        "rojo=00f067aa0ba902b7",
        "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
        "rojo=1 , congo=2",
        "rojo=1,,\t,congo=2",
        "fw529a3039@dt=FfxQ+/3",
        "1a-_*/=x",
        "a= inner spaces may stand",
    };
    static const char *const bad[] = {
        "", ",", "=", "a", "a=", "=1", "A=1", "aB=1", "a=1=2", "a=\x7f", "a=\x01", "-a=1", "a@=1", "@b=1", "a@1b=1", "a@b@c=1",
        "a b=1", "a=1,a=2", "a=1,b", "a=\xc3\xa9",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!trace_state_is_valid(str_from(good[i])))
            fail_msg("\"%s\" was refused", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (trace_state_is_valid(str_from(bad[i])))
            fail_msg("\"%s\" was taken", bad[i]);
}

TEST(a_tracestate_has_at_most_32_members_of_256_bytes)
{
    char text[1024], key[300];
    size_t len = 0;
    for (int i = 0; i < 32; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "k%d=%d,", i, i);
    assert_true(trace_state_is_valid(str_of(text, len)));
    len += (size_t)snprintf(text + len, sizeof(text) - len, "k32=32");
    assert_false(trace_state_is_valid(str_of(text, len)));
    memset(key, 'k', sizeof(key));
    memcpy(key + 256, "=v", 2);
    assert_true(trace_state_is_valid(str_of(key, 258)));
    key[256] = 'k';
    memcpy(key + 257, "=v", 2);
    assert_false(trace_state_is_valid(str_of(key, 259)));
}

static unsigned sampled_of(double rate, unsigned count)
{
    uint64_t limit = trace_sampling_limit(rate), state = 1;
    unsigned sampled = 0;
    for (unsigned i = 0; i < count; i++) {
        uint8_t id[TRACE_ID_SIZE] = {0};
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t mixed = (state ^ state >> 32) * UINT64_C(0x9e3779b97f4a7c15);
        memcpy(id + 8, &mixed, sizeof(mixed));
        sampled += trace_is_sampled(id, limit);
    }
    return sampled;
}

TEST(sampling_is_exact_at_its_ends_and_right_between)
{
    uint8_t lowest[TRACE_ID_SIZE] = {1}, highest[TRACE_ID_SIZE];
    memset(highest, 0xff, sizeof(highest));
    assert_false(trace_is_sampled(lowest, trace_sampling_limit(0)));
    assert_true(trace_is_sampled(highest, trace_sampling_limit(1)));
    assert_true(trace_is_sampled(lowest, trace_sampling_limit(1e-9)));
    assert_false(trace_is_sampled(highest, trace_sampling_limit(0.999)));
    assert_in_range(sampled_of(0.25, 100000), 24000, 26000);
    assert_int_equal(sampled_of(0, 1000), 0);
    assert_int_equal(sampled_of(1, 1000), 1000);
}

/* The ids and decisions are those of OpenTelemetry's TraceIDRatioBased. */
TEST(sampling_looks_at_the_last_63_bits_of_the_id)
{
    uint8_t id[TRACE_ID_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    assert_true(trace_is_sampled(id, trace_sampling_limit(0.5)));
    id[8] = 0x80;
    assert_false(trace_is_sampled(id, trace_sampling_limit(0.5)));
}
