#include "config/variables.h"

#include "test.h"

static char *const environment[] = {(char *)(uintptr_t) "A=one", (char *)(uintptr_t) "EMPTY=", NULL};

static void assert_filled(const char *text, const char *expected, size_t errors, size_t warnings)
{
    struct arena arena;
    struct diag diag;
    struct variables variables;
    arena_init(&arena, ARENA_UNLIMITED);
    diag_init(&diag, &arena);
    variables_init(&variables, environment, &arena);
    variables_add_lines(&variables, S("# a comment\nA=not this\nexport B=two # why\nC='three $x' \nD=\"four\"\n=none\n  E = five \nF#=x\n"));
    assert_str_equal(variables_fill(&variables, str_from(text), SPAN_NONE, &diag), str_from(expected));
    assert_int_equal(diag.errors, errors);
    assert_int_equal(diag.warnings, warnings);
    variables_release(&variables);
    diag_release(&diag);
    arena_release(&arena);
}

TEST(variables_come_from_the_environment_and_then_from_the_file)
{
    assert_filled("$A ${A} ${B} ${C} $D $E.", "one one two three $x four five.", 0, 0);
    assert_filled("nothing to do", "nothing to do", 0, 0);
    assert_filled("$$A $${A} $$$A", "$A ${A} $one", 0, 0);
}

TEST(variables_that_are_missing_are_empty_with_one_warning_each)
{
    assert_filled("[$NO] [${NO}] [${NOR}] [$EMPTY]", "[] [] [] []", 0, 2);
}

TEST(variables_have_defaults_demands_and_replacements)
{
    assert_filled("${NO:-x} ${NO-x} ${EMPTY:-x} [${EMPTY-x}] ${A:-x} ${A-x}", "x x x [] one one", 0, 0);
    assert_filled("[${NO:+x}] [${NO+x}] [${EMPTY:+x}] [${EMPTY+x}] [${A:+x}]", "[] [] [] [x] [x]", 0, 0);
    assert_filled("${NO:-${A}-${EMPTY:-y}} ${NO-}!", "one-y !", 0, 0);
    assert_filled("${NO:?give it}", "", 1, 0);
    assert_filled("${EMPTY:?} ${EMPTY?x} ${A:?x}", "  one", 1, 0);
}

TEST(variables_that_cannot_be_read_are_errors)
{
    assert_filled("a $ b", "a  b", 1, 0);
    assert_filled("${A", "{A", 1, 0);
    assert_filled("${A!b}", "", 1, 0);
    assert_filled("${}", "{}", 1, 0);
}
