#include "net/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static bool hears_ignored;

void signals_hear_ignored(void)
{
    hears_ignored = true;
}

/* A shell that starts a program in the background has it ignore the keyboard's signals: that wish is kept. */
static void add_unless_ignored(sigset_t *set, int number)
{
    struct sigaction now;
    bool ignored = sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
    if (!ignored || hears_ignored)
        sigaddset(set, number);
    if (ignored && hears_ignored)
        signal(number, SIG_DFL);
}

static void handled_signals(sigset_t *ret_set)
{
    sigemptyset(ret_set);
    sigaddset(ret_set, SIGTERM);
    add_unless_ignored(ret_set, SIGINT);
    add_unless_ignored(ret_set, SIGQUIT);
    sigaddset(ret_set, SIGHUP);
    sigaddset(ret_set, SIGUSR1);
    sigaddset(ret_set, SIGUSR2);
}

void signals_block(void)
{
    sigset_t set;
    handled_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void on_ready(struct watch *watch, unsigned events)
{
    struct signals *signals = container_of(watch, struct signals, watch);
    struct signalfd_siginfo info;
    /* The owner may stop us in between. */
    while (watch->fd >= 0 && read(watch->fd, &info, sizeof(info)) == sizeof(info))
        signals->on_signal(signals, (int)info.ssi_signo);
}

bool signals_start(struct signals *signals, struct loop *loop,
                   void (*on_signal)(struct signals *signals, int number), void *owner)
{
    *signals = (struct signals){.watch = {.on_ready = on_ready, .fd = -1},
                                .loop = loop, .on_signal = on_signal, .owner = owner};
    sigset_t set;
    handled_signals(&set);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return false;
    if (loop_watch_level(loop, &signals->watch, fd))
        return true;
    int error = errno;
    close(fd);
    errno = error;
    return false;
}

void signals_stop(struct signals *signals)
{
    int fd = signals->watch.fd;
    if (fd < 0)
        return;
    loop_unwatch(signals->loop, &signals->watch);
    close(fd);
}
