/* Telling the service manager that started us how we are: the protocol of sd_notify(3), datagrams to the socket that
 * NOTIFY_SOCKET names (a path, or '@' and an abstract name). Without one nothing happens. Control thread. */
#ifndef CLI_SUPERVISOR_H
#define CLI_SUPERVISOR_H

#include <stdint.h>

/* Takes the variables out of the environment, so that programs which we start do not speak for us. */
void supervisor_open(void);
/* All sockets listen, or a reload is over. `status`: how we are, for people, on one line. */
void supervisor_ready(const char *status);
void supervisor_reloading(void);
void supervisor_stopping(void);
/* ns within which it wants to be pinged each time (WATCHDOG_USEC), or it starts us again; 0: it does not. */
int64_t supervisor_patience(void);
void supervisor_ping(void);
void supervisor_close(void);

#endif
