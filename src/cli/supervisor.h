/* Telling the service manager that started us how we are: the protocol of sd_notify(3), datagrams to the socket that
 * NOTIFY_SOCKET names (a path, or '@' and an abstract name). Without one nothing happens.
 *
 * Watchdog: where the manager wants to hear from us (WATCHDOG_USEC), it does twice in that time, but only when every worker has
 * answered since: a worker that hangs lets the manager start us again.
 *
 * Control thread; survey_open comes before supervisor_watch. */
#ifndef CLI_SUPERVISOR_H
#define CLI_SUPERVISOR_H

#include "net/loop.h"

/* Takes the variables out of the environment, so that programs which we start do not speak for us. */
void supervisor_open(void);
/* Pings from now on, where they are wanted. */
void supervisor_watch(struct loop *loop);
/* All sockets listen, or a reload is over. `status`: how we are, for people, on one line. */
void supervisor_ready(const char *status);
void supervisor_reloading(void);
void supervisor_stopping(void);
void supervisor_close(void);

#endif
