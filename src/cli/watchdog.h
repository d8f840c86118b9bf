/* The service manager's watchdog: it hears from us twice in the time that it gives us, but only when every worker has answered
 * since the last time. A worker that hangs, or a control thread that does, lets it start the process again.
 *
 * Control thread; after survey_open and supervisor_open. Nothing happens where no pings are wanted. */
#ifndef CLI_WATCHDOG_H
#define CLI_WATCHDOG_H

#include "net/loop.h"

void watchdog_start(struct loop *loop);
void watchdog_stop(void);

#endif
