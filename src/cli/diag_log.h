/* What a configuration has to say goes to the log, a line for each item, so that whatever collects the log can show them.
 * Control thread. */
#ifndef CLI_DIAG_LOG_H
#define CLI_DIAG_LOG_H

#include "base/diag.h"
#include "base/vec.h"

struct diag_log {
    VEC(uint64_t) said;      /* hashes of the lines of the last time */
};

/* `only_new`: what was said the last time is not said again. Containers come and go, and one bad label would fill the log. */
void diag_log_write(struct diag_log *log, struct diag *diag, bool only_new);
/* It was said otherwise. */
void diag_log_remember(struct diag_log *log, struct diag *diag);
void diag_log_release(struct diag_log *log);

#endif
