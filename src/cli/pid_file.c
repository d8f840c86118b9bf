#include "cli/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

#define CONTENT_MAX ((size_t)64)

static char *written;      /* its path; NULL: there is none */
static pid_t owner;

static struct str content_for(pid_t pid, char out[CONTENT_MAX])
{
    return str_of(out, (size_t)snprintf(out, CONTENT_MAX, "%d\n", (int)pid));
}

/* Another process may have taken its place. */
static void remove_if_ours(const char *path, pid_t pid)
{
    char expected[CONTENT_MAX];
    struct arena arena;
    struct str content;
    arena_init(&arena, ARENA_UNLIMITED);
    if (file_read(&arena, path, CONTENT_MAX, &content) && str_equal(content, content_for(pid, expected)))
        unlink(path);
    arena_release(&arena);
}

/* It hears of the end, whatever that is, by the pipe's. A child's child, so that nobody has to wait for it. */
static _Noreturn void keep(int heard, const char *path, pid_t pid)
{
    sigset_t all;
    char byte;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    dup2(heard, STDIN_FILENO);
    int nothing = open("/dev/null", O_RDWR);
    dup2(nothing, STDOUT_FILENO);
    dup2(nothing, STDERR_FILENO);
    close_range(STDERR_FILENO + 1, ~0U, 0);
    while (read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR) {
    }
    remove_if_ours(path, pid);
    _exit(EXIT_SUCCESS);
}

/* Our end of the pipe stays open as long as we live. */
static void start_keeper(const char *path, pid_t pid)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        if (fork() == 0)
            keep(ends[0], path, pid);
        _exit(EXIT_SUCCESS);
    }
    close(ends[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
}

bool pid_file_set(struct str path, bool keeper)
{
    char content[CONTENT_MAX];
    if (written != NULL && str_equal(str_from(written), path))
        return true;
    char *former = written;
    written = NULL;
    owner = getpid();
    char *wanted = path.len != 0 ? memory_copy_text(path.data, path.len) : NULL;
    bool good = wanted == NULL || file_write(wanted, content_for(owner, content), 0644);
    if (good && former != NULL)
        remove_if_ours(former, owner);
    if (good && wanted != NULL && keeper)
        start_keeper(wanted, owner);
    written = good ? wanted : former;
    int error = errno;
    free(good ? former : wanted);
    errno = error;
    return good;
}

void pid_file_remove(void)
{
    if (written != NULL && owner == getpid())
        remove_if_ours(written, owner);
    free(written);
    written = NULL;
}
