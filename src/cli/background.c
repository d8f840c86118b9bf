#include "cli/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int told = -1;      /* the child's end of the pipe */

/* What is in stdio's buffers was written by the child as well. */
static _Noreturn void wait_for(pid_t child, int heard)
{
    char byte;
    ssize_t got;
    int status = 0;
    do
        got = read(heard, &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got == 1)
        _exit(EXIT_SUCCESS);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    _exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : EXIT_FAILURE);
}

bool background_begin(void)
{
    int ends[2];
    fflush(NULL);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    pid_t child = fork();
    if (child > 0) {
        close(ends[1]);
        wait_for(child, ends[0]);
    }
    int error = errno;
    close(ends[0]);
    if (child < 0) {
        close(ends[1]);
        errno = error;
        return false;
    }
    setsid();
    told = ends[1];
    return true;
}

static void replace(int fd, const char *path, int flags)
{
    int opened = open(path, flags | O_CLOEXEC | O_NOCTTY);
    if (opened < 0)
        return;
    dup2(opened, fd);
    if (opened != fd)
        close(opened);
}

void background_settled(const char *log_path)
{
    if (told < 0)
        return;
    replace(STDIN_FILENO, "/dev/null", O_RDONLY);
    replace(STDOUT_FILENO, "/dev/null", O_WRONLY);
    if (log_path != NULL)
        replace(STDERR_FILENO, log_path, O_WRONLY | O_APPEND);
    ssize_t wrote = write(told, "", 1);
    (void)wrote;      /* whoever waited has gone */
    close(told);
    told = -1;
}
