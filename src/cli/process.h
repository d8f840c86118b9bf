/* The running process: one control thread (the one that calls), N workers, a configuration that changes while it runs.
 *
 * Life: process_run loads, compiles, binds and starts; then the control thread's loop turns until it is told to stop: SIGHUP
 * and changed files reload, SIGUSR1 opens the logs again, SIGTERM/SIGINT/SIGQUIT stop gracefully, a second one at once. */
#ifndef CLI_PROCESS_H
#define CLI_PROCESS_H

#include "provider/settings.h"

/* Gives the exit code. */
int process_run(const struct settings *settings);

#endif
