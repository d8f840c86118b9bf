#include "cli/watchdog.h"

#include "cli/supervisor.h"
#include "exchange/survey.h"

static struct {
    struct loop *loop;            /* NULL: not started */
    struct timer timer;
    bool asked;                   /* the workers were asked, and not all have answered */
} watchdog;

static void on_all_answered(struct survey *survey)
{
    watchdog.asked = false;
    supervisor_ping();
}

/* One question at a time: while a worker owes its answer there is no ping. Where they cannot be asked any more, since they end one
 * by one, it is the control thread alone that is to be alive. */
static void on_timer(struct timer *timer)
{
    timer_after(watchdog.loop, timer, supervisor_patience() / 2);
    if (watchdog.asked)
        return;
    watchdog.asked = true;
    if (!survey_start(0, 0, NULL, on_all_answered))
        on_all_answered(NULL);
}

void watchdog_start(struct loop *loop)
{
    if (supervisor_patience() == 0)
        return;
    watchdog.loop = loop;
    timer_init(&watchdog.timer, on_timer);
    timer_after(loop, &watchdog.timer, 0);
}

void watchdog_stop(void)
{
    if (watchdog.loop == NULL)
        return;
    timer_cancel(&watchdog.timer);
    watchdog.loop = NULL;
    watchdog.asked = false;
}
