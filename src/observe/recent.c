/* The last requests of a worker in two rings. Owns the copies of their texts; decides what is kept, not what failed. */
#include "observe/recent.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/time.h"

#define PATH_ROOM 120                 /* bytes that the other texts leave for the path */

struct kept {
    struct recent_entry entry;        /* its texts are views into `room` */
    char room[RECENT_TEXT];
};

struct ring {
    struct kept *items;
    unsigned size;
    uint64_t added;                   /* ever; the next one's place is this, modulo the size */
};

struct recent {
    struct ring requests, failures;
    int64_t second_ends;              /* monotonic ns: a new budget is due then */
    int64_t paused_until[2];          /* this second's budget is used up */
    unsigned left[2];                 /* of this second's budget: for those that went well, and for those that failed */
    struct kept items[RECENT_REQUESTS + RECENT_FAILURES];
};

/* Common to all workers, so only those that are kept get one. */
static _Atomic uint64_t last_number;

void recent_init(struct worker *worker)
{
    struct recent *recent = memory_zalloc(sizeof(*recent));
    recent->requests = (struct ring){.items = recent->items, .size = RECENT_REQUESTS};
    recent->failures = (struct ring){.items = recent->items + RECENT_REQUESTS, .size = RECENT_FAILURES};
    worker->recent = recent;
}

void recent_release(struct worker *worker)
{
    free(worker->recent);
    worker->recent = NULL;
}

/* One of the budget, which is not used up. */
static __attribute__((noinline)) bool take(struct recent *recent, int64_t now, bool failed)
{
    if (now >= recent->second_ends) {
        recent->second_ends = now + TIME_S;
        recent->left[false] = RECENT_RATE;
        recent->left[true] = RECENT_FAILURE_RATE;
    }
    if (--recent->left[failed] == 0)
        recent->paused_until[failed] = recent->second_ends;
    return true;
}

bool recent_wants(struct worker *worker, bool failed)
{
    struct recent *recent = worker->recent;
    if (recent == NULL)
        return false;
    return worker->loop.now >= recent->paused_until[failed] && take(recent, worker->loop.now, failed);
}

/* ---- keeping ---- */

struct room {
    char *at;
    size_t left;
};

static struct str keep_text(struct room *room, struct str text)
{
    text = str_first(text, room->left);
    if (text.len == 0)
        return STR_NONE;
    memcpy(room->at, text.data, text.len);
    struct str copy = str_of(room->at, text.len);
    room->at += text.len;
    room->left -= text.len;
    return copy;
}

/* What tells where a request went comes first, what a client may make long comes last, and the path keeps its room. */
static void keep_texts(struct kept *kept, const struct access_record *record)
{
    struct recent_entry *entry = &kept->entry;
    struct room room = {.at = kept->room, .left = RECENT_TEXT - PATH_ROOM};
    entry->protocol = keep_text(&room, record->protocol);
    entry->client = keep_text(&room, record->client_ip);
    entry->entrypoint = keep_text(&room, record->entrypoint);
    entry->request_id = keep_text(&room, record->request_id);
    entry->trace_id = keep_text(&room, record->trace_id);
    entry->router = keep_text(&room, record->router);
    entry->service = keep_text(&room, record->service);
    entry->server = keep_text(&room, record->server_url);
    entry->method = keep_text(&room, record->method_name);
    entry->host = keep_text(&room, record->authority);
    entry->user = keep_text(&room, record->user);
    if (record->reason_detail != NULL)
        entry->detail = keep_text(&room, str_from(record->reason_detail));
    room.left += PATH_ROOM;
    entry->path = keep_text(&room, record->path);
}

void recent_add(struct worker *worker, const struct access_record *record, bool failed)
{
    struct ring *ring = failed ? &worker->recent->failures : &worker->recent->requests;
    struct kept *kept = &ring->items[ring->added++ % ring->size];
    kept->entry = (struct recent_entry){.number = 1 + atomic_fetch_add_explicit(&last_number, 1, memory_order_relaxed),
                                        .began_wall = record->began_wall,
                                        .total = record->total,
                                        .queue = record->queue,
                                        .connect = record->connect,
                                        .first_byte = record->first_byte,
                                        .request_bytes = record->request_bytes,
                                        .response_bytes = record->response_bytes,
                                        .status = record->status,
                                        .origin_status = record->origin_status,
                                        .reason = record->reason,
                                        .attempts = record->attempts,
                                        .tls = record->client->tls};
    keep_texts(kept, record);
}

/* ---- copies for others ---- */

static void copy_texts(struct recent_entry *entry, struct arena *arena)
{
    struct str *const texts[] = {&entry->method,  &entry->host,   &entry->path,    &entry->client,  &entry->entrypoint,
                                 &entry->router,  &entry->service, &entry->server, &entry->user,    &entry->request_id,
                                 &entry->protocol, &entry->detail, &entry->trace_id};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i] = texts[i]->len != 0 ? arena_str(arena, *texts[i]) : STR_NONE;
}

size_t recent_copy(struct worker *worker, bool failures, uint64_t after, struct arena *arena, struct recent_entry **ret_entries)
{
    *ret_entries = NULL;
    if (worker->recent == NULL)
        return 0;
    const struct ring *ring = failures ? &worker->recent->failures : &worker->recent->requests;
    uint64_t first = ring->added > ring->size ? ring->added - ring->size : 0;
    while (first < ring->added && ring->items[first % ring->size].entry.number <= after)
        first++;
    size_t count = (size_t)(ring->added - first);
    if (count == 0)
        return 0;
    struct recent_entry *entries = arena_array(arena, struct recent_entry, count);
    for (size_t i = 0; i < count; i++) {
        entries[i] = ring->items[(first + i) % ring->size].entry;
        copy_texts(&entries[i], arena);
    }
    *ret_entries = entries;
    return count;
}
