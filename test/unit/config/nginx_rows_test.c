#include "test.h"

#include <stdlib.h>

#include "config/nginx/syntax.h"

static bool is_of_tests(const struct nginx_syntax *row)
{
    return strncmp(row->name, "test_", 5) == 0 || strcmp(row->name, "server") == 0 || strcmp(row->name, "upstream") == 0 ||
           strcmp(row->name, "location") == 0;
}

static bool overlap(const struct nginx_syntax *a, const struct nginx_syntax *b)
{
    return strcmp(a->name, b->name) == 0 && (a->contexts & b->contexts) != 0;
}

TEST(nginx_directives_are_described_once)
{
    const struct nginx_syntax *rows[4096];
    size_t count = 0;
    REGISTRY_FOREACH(nginx_syntax_table, const struct nginx_syntax_table, table) {
        for (size_t i = 0; i < (*table)->count; i++) {
            if (!is_of_tests(&(*table)->rows[i]))
                rows[count++] = &(*table)->rows[i];
        }
    }
    assert_true(count > 200);
    size_t twice = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (overlap(rows[i], rows[j])) {
                print_message("%s has two rows\n", rows[i]->name);
                twice++;
            }
        }
    }
    assert_int_equal(twice, 0);
}

TEST(nginx_directives_have_rows_that_make_sense)
{
    REGISTRY_FOREACH(nginx_syntax_table, const struct nginx_syntax_table, table) {
        for (size_t i = 0; i < (*table)->count; i++) {
            const struct nginx_syntax *row = &(*table)->rows[i];
            if (row->contexts == 0 || row->min > row->max || (row->inside != 0 && !row->block))
                fail_msg("%s", row->name);
            assert_ptr_equal(nginx_syntax_find(str_from(row->name), 0) != NULL, true);
        }
    }
}
