/* Giving up root: what a process that root started goes on as (the option `user`).
 *
 * The order at the start: the configuration is read, the helper that reads the engine is started, sockets are bound, logs are open;
 * then privileges_give_up, while the control thread is the only one; then everything else. Afterwards the process has the user's
 * ids, no supplementary groups, no capability but CAP_NET_BIND_SERVICE (a reload may still bind ports below 1024), cannot gain any
 * by a program that it starts, is not dumpable, and root cannot be had back; what the configuration names for writing is the user's
 * (cli/hand_over.h).
 *
 * Not started by root: the option changes nothing. Started by a root that may not change its ids (a container without CAP_SETUID, a
 * user name space without that user): a warning, and it goes on as it is.
 *
 * Threading: the control thread, before there are others. One per process. */
#ifndef CLI_PRIVILEGES_H
#define CLI_PRIVILEGES_H

#include "model/model.h"
#include "provider/settings.h"

/* Before the configuration is read: what root can read and the user cannot is kept (base/kept_files.h). */
void privileges_prepare(void);
/* Whether the user is known; an error at the option where not. */
bool privileges_check(const struct model *model, struct diag *diag);
/* False: root could not be given up whole, which is an error in `diag`, and the process must not go on. Files of the configuration
 * that only root can read are warnings: for reloads they stay as they were. */
bool privileges_give_up(const struct model *model, const struct settings_files *files, struct diag *diag);
/* What a reload meets since: files that only root can read, and another `user`, which needs a restart. Warnings. */
void privileges_review(const struct model *model, const struct settings_files *files, struct diag *diag);

#endif
