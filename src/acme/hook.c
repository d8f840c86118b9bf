#include "acme/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

#define OUTPUT_MAX 1000             /* bytes of output that are shown: the first ones */
#define KINDNESS (3 * TIME_S)       /* between the request to end and the end */

extern char **environ;

struct hook {
    struct loop *loop;
    struct watch process;           /* a pidfd: readable when it has ended */
    struct watch output;            /* a pipe's end */
    struct timer timer;
    struct deferred gone;
    pid_t pid;                      /* 0: not started, or reaped */
    bool asked;                     /* it was told to end */
    int64_t limit;
    struct text text;               /* what it printed */
    int error;                      /* of starting it */
    void (*on_done)(void *owner, bool good, struct str what);
    void *owner;
};

/* ---- the end ---- */

static void close_watch(struct hook *hook, struct watch *watch)
{
    int fd = watch->fd;
    if (fd < 0)
        return;
    loop_unwatch(hook->loop, watch);
    close(fd);
}

static void free_hook(struct deferred *deferred)
{
    struct hook *hook = container_of(deferred, struct hook, gone);
    text_release(&hook->text);
    free(hook);
}

static void let_go(struct hook *hook)
{
    close_watch(hook, &hook->process);
    close_watch(hook, &hook->output);
    timer_cancel(&hook->timer);
    loop_defer_free(hook->loop, &hook->gone);
}

/* `how` NULL: it went well. */
static void report(struct hook *hook, const char *how)
{
    struct text what;
    struct str printed = str_trim_space(text_str(&hook->text));
    text_init(&what, OUTPUT_MAX * 2);
    if (how != NULL)
        text_addf(&what, "%s%s", how, str_empty(printed) ? "" : ": ");
    for (size_t i = 0; how != NULL && i < printed.len; i++)     /* one line, nothing that moves a cursor */
        text_add_char(&what, (unsigned char)printed.data[i] < ' ' || printed.data[i] == 0x7f ? ' ' : printed.data[i]);
    let_go(hook);
    hook->on_done(hook->owner, how == NULL, text_str(&what));
    text_release(&what);
}

/* ---- while it runs ---- */

static void read_output(struct hook *hook)
{
    char bytes[1024];
    for (ssize_t n; hook->output.fd >= 0 && (n = read(hook->output.fd, bytes, sizeof(bytes))) != 0;) {
        if (n < 0 && errno != EINTR)
            return;
        if (n > 0)
            text_add(&hook->text, str_first(str_of(bytes, (size_t)n), OUTPUT_MAX - hook->text.len));
    }
    close_watch(hook, &hook->output);
}

static void on_output(struct watch *watch, unsigned events)
{
    read_output(container_of(watch, struct hook, output));
}

static void on_exit_of(struct watch *watch, unsigned events)
{
    struct hook *hook = container_of(watch, struct hook, process);
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)hook->pid, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0)
        return;
    hook->pid = 0;
    read_output(hook);
    char how[64];
    if (hook->asked)
        snprintf(how, sizeof(how), "it did not end within %d s", (int)(hook->limit / TIME_S));
    else
        snprintf(how, sizeof(how), info.si_code == CLD_EXITED ? "exit status %d" : "ended by signal %d", info.si_status);
    report(hook, !hook->asked && info.si_code == CLD_EXITED && info.si_status == 0 ? NULL : how);
}

static void on_timer(struct timer *timer)
{
    struct hook *hook = container_of(timer, struct hook, timer);
    if (hook->pid == 0) {
        text_add(&hook->text, str_from(strerror(hook->error)));
        report(hook, "it cannot be started");
        return;
    }
    kill(-hook->pid, hook->asked ? SIGKILL : SIGTERM);
    hook->asked = true;
    timer_after(hook->loop, &hook->timer, KINDNESS);
}

/* ---- the start ---- */

/* The words of the command and the arguments behind them: views into the memory that is returned. */
static char *split_words(const struct hook_call *call, char *argv[HOOK_ARGUMENTS_MAX + 1])
{
    struct text words;
    size_t ends[HOOK_ARGUMENTS_MAX], count = 0;
    struct str rest = call->command, word;
    text_init(&words, SIZE_MAX / 2);
    while (count < HOOK_ARGUMENTS_MAX - 3 && str_split(&rest, ' ', &word)) {
        if (str_empty(word))
            continue;
        text_add(&words, word);
        text_add_char(&words, '\0');
        ends[count++] = words.len;
    }
    for (size_t i = 0; i < 3 && count != 0 && !str_empty(call->arguments[i]); i++) {
        text_add(&words, call->arguments[i]);
        text_add_char(&words, '\0');
        ends[count++] = words.len;
    }
    text_c(&words);
    for (size_t i = 0; i < count; i++)
        argv[i] = words.data + (i == 0 ? 0 : ends[i - 1]);
    argv[count] = NULL;
    return words.data;
}

/* All signals as they are by nature, its own process group, no descriptors but the three. */
static int spawn(pid_t *ret_pid, char *const argv[], int output)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    int error = argv[0] != NULL ? posix_spawnp(ret_pid, argv[0], &actions, &attributes, argv, environ) : EINVAL;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* 0, or why not. */
static int begin(struct hook *hook, const struct hook_call *call)
{
    char *argv[HOOK_ARGUMENTS_MAX + 1];
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return errno;
    char *memory = split_words(call, argv);
    int error = spawn(&hook->pid, argv, ends[1]);
    free(memory);
    close(ends[1]);
    if (!loop_watch_level(hook->loop, &hook->output, ends[0]))
        close(ends[0]);
    if (error != 0) {
        hook->pid = 0;
        return error;
    }
    int pidfd = (int)syscall(SYS_pidfd_open, hook->pid, 0);
    if (pidfd >= 0 && loop_watch_level(hook->loop, &hook->process, pidfd))
        return 0;
    error = errno;
    if (pidfd >= 0)
        close(pidfd);
    kill(-hook->pid, SIGKILL);
    waitid(P_PID, (id_t)hook->pid, &(siginfo_t){0}, WEXITED);
    hook->pid = 0;
    return error;
}

struct hook *hook_start(struct loop *loop, const struct hook_call *call)
{
    struct hook *hook = memory_zalloc(sizeof(*hook));
    *hook = (struct hook){.loop = loop, .process = {.on_ready = on_exit_of, .fd = -1}, .output = {.on_ready = on_output, .fd = -1},
                          .gone = {.run = free_hook}, .limit = call->limit, .on_done = call->on_done, .owner = call->owner};
    timer_init(&hook->timer, on_timer);
    text_init(&hook->text, OUTPUT_MAX);
    hook->error = begin(hook, call);
    timer_after(loop, &hook->timer, hook->pid != 0 ? call->limit : 0);
    return hook;
}

void hook_cancel(struct hook *hook)
{
    if (hook == NULL)
        return;
    if (hook->pid != 0) {
        kill(-hook->pid, SIGKILL);
        waitid(P_PID, (id_t)hook->pid, &(siginfo_t){0}, WEXITED);
    }
    let_go(hook);
}

void hook_abandon(struct hook *hook)
{
    if (hook != NULL)
        let_go(hook);
}
