#include "test.h"

#include "http/status_ranges.h"

TEST(status_ranges_hold_single_statuses_and_ends_of_ranges)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct str texts[] = {STR("404"), STR("500-503")};
    struct strs strs = {.items = texts, .count = 2};
    struct status_ranges ranges = status_ranges_from(&strs, &arena);
    assert_true(status_ranges_have(&ranges, 404) && status_ranges_have(&ranges, 500));
    assert_true(status_ranges_have(&ranges, 503));
    assert_false(status_ranges_have(&ranges, 499) || status_ranges_have(&ranges, 504));
    assert_false(status_ranges_have(&ranges, 200) || status_ranges_have(&ranges, 405));
    arena_release(&arena);
}

TEST(status_ranges_refuse_what_is_no_range_of_statuses)
{
    static const char *const bad[] = {"", "40", "4040", "600", "099", "500-", "-500", "503-500", "5xx", "500-599-600"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(status_range_check(str_from(bad[i]), NULL, NULL, NULL));
    assert_null(status_range_check(S("100-599"), NULL, NULL, NULL));
}
