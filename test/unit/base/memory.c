#include "base/memory.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

TEST(memory_gives_something_for_nothing_and_zeros_when_asked)
{
    void *nothing = memory_alloc(0);
    assert_non_null(nothing);
    nothing = memory_resize(nothing, 0);
    assert_non_null(nothing);
    free(nothing);
    char *zeros = memory_zalloc(100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(zeros[i], 0);
    free(zeros);
    char *text = memory_copy_text("abcdef", 3);
    assert_string_equal(text, "abc");
    free(text);
}

TEST(memory_that_cannot_be_had_ends_the_process_and_says_how_much_was_wanted)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        memory_copy_text("", SIZE_MAX);
        _exit(0);
    }
    close(ends[1]);
    char said[200] = "";
    ssize_t len = read(ends[0], said, sizeof(said) - 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    close(ends[0]);
    assert_true(len > 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_string_equal(said, "out of memory: 18446744073709551615 bytes were wanted\n");
}
