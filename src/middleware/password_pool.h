/* A few threads that verify passwords, so that no loop ever waits for a slow hash.
 *
 * A job is made by password_pool_submit and lives until it is delivered on the loop that submitted it; whoever asked may
 * be gone by then and says so by password_job_abandon. Only that loop's thread looks at `owner`, so there is no race: a
 * job never touches what it was abandoned by. */
#ifndef MIDDLEWARE_PASSWORD_POOL_H
#define MIDDLEWARE_PASSWORD_POOL_H

#include "base/str.h"
#include "net/loop.h"

struct password_job;

/* Verifies a copy of both on another thread; then on_done(owner, good) is called on this loop's thread. NULL: more jobs
 * wait than can be done in good time (try later). Threads start with the first job. */
struct password_job *password_pool_submit(struct loop *loop, struct str hash, struct str password,
                                          void (*on_done)(void *owner, bool good), void *owner);
/* on_done will not be called. From the loop's thread, before on_done. */
void password_job_abandon(struct password_job *job);

/* Ends the threads and drops the jobs that wait. For the end of the process, while the loops' memory is still there:
 * nothing is posted to a loop afterwards. A later submit starts them again. */
void password_pool_stop(void);

#endif
