#include "test.h"

#include "middleware/expression.h"

static const struct expression_function functions[] = {
    {.name = "A"}, {.name = "Sum", .arguments = 2}, {.name = "Yes", .claims = true}, {.name = NULL}};

/* A() is what the context says, Sum(a, b) their sum, Yes() true. */
static double value(const void *context, const struct expression_call *call)
{
    if (call->function == 0)
        return *(const double *)context;
    return call->function == 1 ? call->arguments[0] + call->arguments[1] : 1;
}

static bool holds(const char *text, double a)
{
    struct arena arena;
    struct expression expression;
    struct str error;
    size_t offset;
    arena_init(&arena, ARENA_UNLIMITED);
    assert_true(expression_parse(str_from(text), functions, &arena, &expression, &error, &offset));
    bool result = expression_is_true(&expression, value, &a);
    arena_release(&arena);
    return result;
}

static size_t fails_at(const char *text)
{
    struct arena arena;
    struct expression expression;
    struct str error;
    size_t offset = 0;
    arena_init(&arena, ARENA_UNLIMITED);
    assert_false(expression_parse(str_from(text), functions, &arena, &expression, &error, &offset));
    assert_int_not_equal(error.len, 0);
    arena_release(&arena);
    return offset;
}

TEST(expression_compares)
{
    assert_true(holds("A() > 0.5", 0.6));
    assert_false(holds("A() > 0.5", 0.5));
    assert_true(holds("A() >= 0.5", 0.5));
    assert_true(holds("A()<1 ", 0.5));
    assert_true(holds("1 > A()", 0.5));
    assert_true(holds("A() == 0.3", 0.1 + 0.2));
    assert_true(holds("A() != 0.3", 0.4));
    assert_true(holds("A() <= Sum( 1.5 ,2)", 3.5));
}

TEST(expression_and_binds_closer_than_or)
{
    assert_true(holds("Yes() || A() > 1 && A() > 2", 0));
    assert_false(holds("(Yes() || A() > 1) && A() > 2", 0));
    assert_true(holds("A() > 2 && A() > 1 || Yes()", 0));
}

TEST(expression_not_is_for_claims)
{
    assert_true(holds("!(A() > 1)", 0));
    assert_false(holds("!Yes()", 0));
    assert_true(holds("!!Yes()", 0));
    assert_false(holds("!(A() < 1) || A() > 1 && !Yes()", 0));
}

TEST(expression_errors_are_where_they_are)
{
    assert_int_equal(fails_at("A() > 1 & Yes()"), 8);
    assert_int_equal(fails_at("Yes() && B()"), 9);
    assert_int_equal(fails_at("A() > Sum(1)"), 11);
    assert_int_equal(fails_at("A( > 1"), 3);
    assert_int_equal(fails_at("(Yes()"), 6);
    assert_int_equal(fails_at("Yes() &&"), 8);
    assert_int_equal(fails_at("A()"), 0);
    assert_int_equal(fails_at("Yes() && A()"), 6);
    assert_int_equal(fails_at("!A()"), 0);
    assert_int_equal(fails_at("Yes() > 1"), 6);
    assert_int_equal(fails_at(""), 0);
    assert_int_equal(fails_at("A() > 1.2.3"), 6);
}

TEST(expression_nesting_is_bounded)
{
    char deep[1001], nots[1001];
    memset(deep, '(', 1000);
    memset(nots, '!', 1000);
    deep[1000] = nots[1000] = '\0';
    fails_at(deep);
    fails_at(nots);
}
