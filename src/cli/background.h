/* Going on in the background: a child that is a session of its own, and the caller that waits until it is known how it went.
 * Control thread, before there are others. One per process. */
#ifndef CLI_BACKGROUND_H
#define CLI_BACKGROUND_H

#include <stdbool.h>

/* The child returns with true. The caller stays in here: it ends with 0 as soon as the child says that it is settled, or with the
 * child's own exit code when that ends before. False with errno: no child could be made. */
bool background_begin(void);
/* For the child: everything listens. Standard input and output are let go of; standard error goes to the file `log_path`, where
 * there is one. Nothing happens where background_begin was not called. */
void background_settled(const char *log_path);

#endif
