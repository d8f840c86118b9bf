#include "service/sessions.h"

#include <stdlib.h>

#include "base/memory.h"

struct session {
    struct list link;
    uint64_t server;                  /* its id_hash */
    int64_t used;                     /* monotonic ns */
    size_t length;
    char name[];
};

void sessions_init(void *memory)
{
    struct sessions *sessions = memory;
    pthread_mutex_init(&sessions->lock, NULL);
    map_init(&sessions->by_name, false);
    list_init(&sessions->by_use);
}

static void forget(struct sessions *sessions, struct session *session)
{
    map_remove(&sessions->by_name, str_of(session->name, session->length));
    list_remove(&session->link);
    free(session);
}

void sessions_release(void *memory)
{
    struct sessions *sessions = memory;
    while (!list_empty(&sessions->by_use))
        forget(sessions, container_of(sessions->by_use.next, struct session, link));
    map_release(&sessions->by_name);
    pthread_mutex_destroy(&sessions->lock);
}

/* One that is too old is as good as none. */
static struct session *find(struct sessions *sessions, struct str name, int64_t now, int64_t timeout)
{
    struct session *session = map_get(&sessions->by_name, name);
    if (session == NULL || now - session->used < timeout)
        return session;
    forget(sessions, session);
    return NULL;
}

bool sessions_find(struct sessions *sessions, struct str name, int64_t now, int64_t timeout, uint64_t *ret_server)
{
    pthread_mutex_lock(&sessions->lock);
    const struct session *session = find(sessions, name, now, timeout);
    if (session != NULL)
        *ret_server = session->server;
    pthread_mutex_unlock(&sessions->lock);
    return session != NULL;
}

static struct session *last_used(struct sessions *sessions)
{
    return container_of(sessions->by_use.prev, struct session, link);
}

/* Two that are too old go for each that comes, so that memory comes back without a clock of its own. */
static void make_room(struct sessions *sessions, unsigned max, int64_t now, int64_t timeout)
{
    for (unsigned i = 0; i < 2 && !list_empty(&sessions->by_use) && now - last_used(sessions)->used >= timeout; i++)
        forget(sessions, last_used(sessions));
    while (sessions->by_name.live >= max && !list_empty(&sessions->by_use))
        forget(sessions, last_used(sessions));
}

static struct session *add(struct sessions *sessions, struct str name)
{
    struct session *session = memory_alloc(sizeof(*session) + name.len + 1);
    session->length = name.len;
    memcpy(session->name, name.data, name.len);
    list_push(&sessions->by_use, &session->link);
    map_put(&sessions->by_name, str_of(session->name, name.len), session);
    return session;
}

void sessions_learn(struct sessions *sessions, struct str name, uint64_t server, bool create, unsigned max, int64_t now, int64_t timeout)
{
    if (name.len == 0 || name.len > SESSION_NAME_MAX)
        return;
    pthread_mutex_lock(&sessions->lock);
    struct session *session = find(sessions, name, now, timeout);
    if (session == NULL && create) {
        make_room(sessions, max, now, timeout);
        session = add(sessions, name);
    }
    if (session != NULL) {
        session->server = server;
        session->used = now;
        list_remove(&session->link);
        list_push(&sessions->by_use, &session->link);
    }
    pthread_mutex_unlock(&sessions->lock);
}
