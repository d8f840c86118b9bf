/* Runs the unit tests, all or those whose name or file has the word given, and ends with the summary line. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static int by_file_and_name(const void *a, const void *b)
{
    const struct CMUnitTest *left = a, *right = b;
    return strcmp(left->name, right->name);
}

int main(int argc, char **argv)
{
    struct CMUnitTest *tests = calloc(4096, sizeof(*tests));
    size_t count = 0;
    REGISTRY_FOREACH(unit_test, const struct unit_test, it) {
        if (argc > 1 && strstr((*it)->name, argv[1]) == NULL && strstr((*it)->file, argv[1]) == NULL)
            continue;
        if (count < 4096)
            tests[count++] = (struct CMUnitTest){.name = (*it)->name, .test_func = (*it)->run};
    }
    qsort(tests, count, sizeof(*tests), by_file_and_name);
    int failed = _cmocka_run_group_tests("unit", tests, count, NULL, NULL);
    printf("%zu passed, %d failed\n", count - (size_t)failed, failed);
    free(tests);
    return failed != 0;
}
