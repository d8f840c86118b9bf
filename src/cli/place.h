/* The process among others, as the options `process` say: background, descriptors, pid file, folder. Control thread. */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include "model/model.h"

/* Before there are other threads. Where it goes on in the background this returns in the child alone. Errors in `diag`. */
bool place_begin(const struct model *model, struct diag *diag);
/* Everything listens and logs are open; root was not given up yet. */
bool place_settle(const struct model *model, struct diag *diag);
/* Behind giving up root: whoever started it is told that it runs. */
void place_settled(const struct model *model);
/* A reload: another name of the pid file. */
void place_review(const struct model *model, struct diag *diag);
/* The end. */
void place_leave(void);

#endif
