/* Which server a session of an application was seen at: learnt from requests and responses, forgotten when it was not used for a
 * while, or when there are too many: the one that was not used for longest goes first. Shared by workers and by successive graphs.
 *
 * Threading: any; a short lock. */
#ifndef SERVICE_SESSIONS_H
#define SERVICE_SESSIONS_H

#include <pthread.h>

#include "base/list.h"
#include "base/map.h"

#define SESSION_NAME_MAX 512          /* longer names are not learnt */

struct sessions {
    pthread_mutex_t lock;
    struct map by_name;               /* struct session */
    struct list by_use;               /* the latest first */
};

/* For compile_shared: of zeroed memory. */
void sessions_init(void *memory);
void sessions_release(void *memory);

/* The server (its id_hash) that a session was seen at not longer than `timeout` ago; false: it is not known. */
bool sessions_find(struct sessions *sessions, struct str name, int64_t now, int64_t timeout, uint64_t *ret_server);
/* It was seen at this server. `create`: also where it is not known yet. At most `max` are kept. */
void sessions_learn(struct sessions *sessions, struct str name, uint64_t server, bool create, unsigned max, int64_t now, int64_t timeout);

#endif
