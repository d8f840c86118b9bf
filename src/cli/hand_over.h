/* What root leaves to the user that the process goes on as: what the configuration names and Portico writes, no more.
 *
 *     ACME storage, log files       the file itself; its folder where it is a volume that holds nothing else. A storage whose folder
 *                                   stays root's is made, so that it can be written in place
 *     the data directory, the       files that are ours by their names; the folders where they hold nothing else
 *     local CA's, storage that
 *     is a directory
 *
 * No symbolic link is followed, a file with several names is left alone, another file system is not entered.
 * Threading: the control thread, while it is root. */
#ifndef CLI_HAND_OVER_H
#define CLI_HAND_OVER_H

#include <sys/types.h>

#include "model/model.h"

struct owner {
    uid_t uid;
    gid_t gid;
};

void hand_over(const struct model *model, const struct owner *owner);
/* As the user: what cannot be written all the same. Warnings at the options. */
void hand_over_review(const struct model *model, struct diag *diag);

#endif
