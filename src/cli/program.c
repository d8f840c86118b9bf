#include "cli/program.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

const char *program_find(const char *name, struct arena *arena)
{
    const char *path = getenv("PATH");
    struct str rest = arena_printf(arena, "%s:/usr/sbin:/sbin", path != NULL ? path : "/usr/bin:/bin"), folder;
    while (str_split(&rest, ':', &folder)) {
        struct str candidate = arena_printf(arena, "%.*s/%s", STR_ARGS(folder), name);
        if (folder.len != 0 && access(candidate.data, X_OK) == 0)
            return candidate.data;
    }
    return NULL;
}

/* A file without a name holds the input: a pipe could stop both sides, or end us by a signal. */
static int open_input(struct str input)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd >= 0 && (write(fd, input.data, input.len) != (ssize_t)input.len || lseek(fd, 0, SEEK_SET) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool become(const struct program_user *user)
{
    return user == NULL || (initgroups(user->name, user->gid) == 0 && setgid(user->gid) == 0 && setuid(user->uid) == 0 &&
                            setenv("HOME", user->home, 1) == 0);
}

static __attribute__((noreturn)) void be_program(const char *const *words, int input, int output, const struct program_user *user)
{
    if (become(user) && dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0)
        execv(words[0], (char *const *)(uintptr_t)words);
    _exit(127);
}

static void read_all(int fd, struct text *output)
{
    char buffer[4096];
    for (;;) {
        ssize_t got = read(fd, buffer, sizeof(buffer));
        if (got > 0)
            text_add(output, str_of(buffer, (size_t)got));
        else if (got == 0 || errno != EINTR)
            return;
    }
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int program_run(const char *const *words, struct str input, const struct program_user *user, struct text *output)
{
    int ends[2], source = open_input(input);
    if (source < 0)
        return -1;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        close(source);
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0)
        be_program(words, source, ends[1], user);
    close(ends[1]);
    close(source);
    if (pid > 0)
        read_all(ends[0], output);
    close(ends[0]);
    return pid > 0 ? wait_for(pid) : -1;
}
