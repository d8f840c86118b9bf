/* The last requests of a worker, for people who look: those that failed, and all others, each up to a rate, so that a quiet site
 * is shown whole, a busy one costs nothing more, and what fails is not pushed out by what goes well.
 *
 * Two rings of fixed size per worker (worker->recent), each entry with its texts in a fixed room (longer ones are cut; the
 * path, last, has at least 120 bytes).
 * Threading: the worker's; others get copies by a survey (exchange/survey.h). */
#ifndef OBSERVE_RECENT_H
#define OBSERVE_RECENT_H

#include "base/arena.h"
#include "observe/access_log.h"

#define RECENT_REQUESTS 256
#define RECENT_FAILURES 128
#define RECENT_RATE 50                /* requests a second that are kept of those that went well */
#define RECENT_FAILURE_RATE 1000      /* and of those that failed: a flood of them would pass too fast to be read anyway */
#define RECENT_TEXT 400               /* bytes of all texts of one entry together */

struct recent_entry {
    uint64_t number;                  /* in this process; ascending with time */
    int64_t began_wall, total, queue, connect, first_byte;        /* ns */
    uint64_t request_bytes, response_bytes;
    int status, origin_status;
    enum status reason;
    unsigned attempts;
    bool tls;
    struct str method, host, path, client, entrypoint, router, service, server, user, request_id, protocol, detail, trace_id;
};

struct recent;                        /* worker->recent; recent.c */

/* Whether this one is to be kept, and then it counts against this second's budget: asked before a record is filled for it
 * alone. False without recent_init. */
bool recent_wants(struct worker *worker, bool failed);
/* After recent_wants said yes. */
void recent_add(struct worker *worker, const struct access_record *record, bool failed);
/* Copies, oldest first, of those with a number above `after`; texts in `arena`. Gives how many. */
size_t recent_copy(struct worker *worker, bool failures, uint64_t after, struct arena *arena, struct recent_entry **ret_entries);
void recent_init(struct worker *worker);
void recent_release(struct worker *worker);

#endif
