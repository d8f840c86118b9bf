#include "net/signals.h"

#include <signal.h>
#include <unistd.h>

#include "test.h"

static int got[8], got_count;

static void note(struct signals *signals, int number)
{
    got[got_count++] = number;
    if (signals->owner != NULL)
        signals_stop(signals);
}

TEST(signals_arrive_as_events_of_the_loop)
{
    static struct loop loop;
    struct signals signals;
    sigset_t before;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    signals_block();
    got_count = 0;
    assert_true(loop_init(&loop));
    assert_true(signals_start(&signals, &loop, note, NULL));
    loop_turn(&loop, 0);
    assert_int_equal(got_count, 0);
    kill(getpid(), SIGHUP);
    kill(getpid(), SIGPIPE);               /* ignored: no process ends by it */
    loop_turn(&loop, TIME_S);
    assert_int_equal(got_count, 1);
    assert_int_equal(got[0], SIGHUP);
    signals.owner = &loop;                 /* now it stops at the first of two */
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2);
    loop_turn(&loop, TIME_S);
    assert_int_equal(got_count, 2);
    assert_int_equal(signals.watch.fd, -1);
    signals_stop(&signals);
    /* The one that was not taken must not end the tests when it is let through. */
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
    loop_release(&loop);
}
