/* Unit tests: a test is a sentence and registers itself.
 *
 *     TEST(strip_prefix_removes_the_first_match) { assert_int_equal(...); }
 *
 * The files mirror src/. cmocka's assertions are used as they are. Each file is linked with all of src but
 * main.c, so a test calls the real thing. */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/registry.h"
#include "base/str.h"

struct unit_test {
    const char *name;
    const char *file;
    void (*run)(void **state);
};
REGISTRY(unit_test, const struct unit_test);

#define TEST(sentence) \
    static void sentence(void **state); \
    static const struct unit_test sentence##_test = {#sentence, __FILE__, sentence}; \
    REGISTER(unit_test, sentence##_test); \
    static void sentence(void **state __attribute__((unused)))

#define assert_str_equal(actual, expected) \
    do { \
        struct str actual_ = (actual), expected_ = (expected); \
        if (!str_equal(actual_, expected_)) \
            fail_msg("\"%.*s\" is not \"%.*s\"", STR_ARGS(actual_), STR_ARGS(expected_)); \
    } while (0)

#endif
