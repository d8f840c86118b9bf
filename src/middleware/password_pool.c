#include "middleware/password_pool.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/secret.h"
#include "base/time.h"
#include "middleware/password.h"
#include "middleware/password_cache.h"
#include "net/work_pool.h"

#define WAITING_MAX 128 /* some seconds of work with bcrypt at its usual cost */

struct password_job {
    struct work work;
    void (*on_done)(void *owner, bool good);
    void *owner; /* NULL: abandoned; the loop's thread only */
    bool good;
    size_t size; /* of all of this, texts included */
    struct str hash, password;
    char texts[];
};

static void free_job(struct password_job *job)
{
    size_t size = job->size;
    secret_wipe(job, size);
    free(job);
}

/* On the loop's thread. */
static void deliver(struct message *message)
{
    struct password_job *job = container_of(message, struct password_job, work.message);
    void (*on_done)(void *, bool) = job->on_done;
    void *owner = job->owner;
    bool good = job->good;
    free_job(job);
    if (owner != NULL)
        on_done(owner, good);
}

/* Many requests of one client may have asked before the first was answered: those find the
 * password in the cache. */
static void verify(struct work *work)
{
    struct password_job *job = container_of(work, struct password_job, work);
    job->good = password_cache_has(job->hash, job->password, time_monotonic());
    if (job->good)
        return;
    job->good = password_verify(job->hash, job->password);
    if (job->good)
        password_cache_add(job->hash, job->password, time_monotonic());
}

static struct work_pool pool = WORK_POOL_INIT(pool, verify, WAITING_MAX);

static struct str copy(char *at, struct str text)
{
    if (text.len != 0)
        memcpy(at, text.data, text.len);
    return str_of(at, text.len);
}

struct password_job *password_pool_submit(struct loop *loop, struct str hash, struct str password,
                                          void (*on_done)(void *owner, bool good), void *owner)
{
    size_t size = sizeof(struct password_job) + hash.len + password.len;
    struct password_job *job = memory_alloc(size);
    *job = (struct password_job){
        .work = {.message.deliver = deliver, .loop = loop}, .on_done = on_done, .owner = owner, .size = size};
    job->hash = copy(job->texts, hash);
    job->password = copy(job->texts + hash.len, password);

    if (work_pool_submit(&pool, &job->work))
        return job;
    free_job(job);
    return NULL;
}

void password_job_abandon(struct password_job *job)
{
    job->owner = NULL;
}

static void drop(struct work *work)
{
    free_job(container_of(work, struct password_job, work));
}

void password_pool_stop(void)
{
    work_pool_stop(&pool, drop);
}
