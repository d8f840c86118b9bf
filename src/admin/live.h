/* What changes from second to second: on each tick the meters of all that runs are compared with what they were, and the
 * difference goes to whoever listens (admin/feed.h) and to the history (admin/history.h).
 *
 * Cheap when little happens: entrypoints first; where their totals stand still nothing else is looked at, and of everything else
 * only what has changed is summed. Control thread. Everything here is of the running graph and lasts until the next one runs. */
#ifndef ADMIN_LIVE_H
#define ADMIN_LIVE_H

#include "admin/live_past.h"
#include "admin/server_words.h"
#include "base/meter.h"
#include "exchange/survey.h"

struct router;
struct service;

enum live_kind { LIVE_ENTRYPOINT, LIVE_ROUTER, LIVE_SERVICE, LIVE_SERVER, LIVE_KINDS };

#define LIVE_MINUTE_SLOTS 7           /* of ten seconds: six that are over, and the present one */

struct live_slot {
    uint32_t number;                  /* of the stretch of time, never given twice */
    uint32_t requests, errors;
};

/* What is remembered of a thing that ever did something, which most of thousands of routers never do. */
struct live_course {
    struct live_past *last;           /* of the meter, when last looked at */
    struct live_past *delta;          /* of the last tick, when `changed` */
    struct live_slot minute[LIVE_MINUTE_SLOTS];
};

/* How a server stands. */
struct live_standing {
    const struct target *target;
    enum server_word word;
    int64_t word_since;               /* Unix ns */
    bool word_changed;                /* since the last tick */
    uint64_t *failures;               /* [STATUS_COUNT] when last looked at */
    enum status last_failure;         /* OK: none yet */
    int64_t failed_at, good_at;       /* Unix ns of the last failure and the last good answer, to a tick; 0: none yet */
    int64_t failing_since;            /* Unix ns of the first failure behind the last good answer; 0: none */
};

/* One entrypoint, router, service or server. */
struct live_thing {
    struct str name;                  /* a server's: "service|url" */
    struct meter *meter;              /* NULL: not counted; the graph's */
    uint64_t total;                   /* of the meter, when last looked at */
    struct live_course *course;       /* NULL: it had nothing to do yet */
    union {
        const struct router *router;  /* of a router */
        const struct service *service;    /* of a service, and of a server: whose it is */
    };
    uint8_t kind;                     /* enum live_kind */
    bool changed;                     /* in the last tick */
    bool names_servers;               /* of a service: it is a load balancer */
    union {
        struct live_standing *standing;     /* of a server */
        struct {
            uint32_t first_server, server_count;    /* of a service: its servers among all of them */
        };
    };
};

struct live_things {
    struct live_thing *items;
    size_t count;
    uint32_t *by_name;                /* indexes of items */
};

/* In the graph's order; servers by service. */
const struct live_things *live_all(enum live_kind kind);
/* NULL: there is none, or no configuration runs. */
const struct live_thing *live_find(enum live_kind kind, struct str name);
/* What it did in the last tick: false, and nothing, unless it has changed. */
bool live_delta(const struct live_thing *thing, struct meter_sum *ret_delta);
/* What it did in the last minute. */
struct live_slot live_minute(const struct live_thing *thing);
/* The last report of each worker (no texts, no lists), NULL before the first; how many in *ret_count. They are asked each second
 * while somebody listens, else every ten. */
const struct worker_report *live_workers(unsigned *ret_count);
/* By their reports of the last minute: connections that were broken off for this reason; lines that the access log lost. */
uint64_t live_sent_away(enum status reason);
uint64_t live_lines_lost(void);
/* For how long (ns) a report has been due; 0: none is. */
int64_t live_waits_for_workers(void);

/* ---- arithmetic, for tests ---- */

/* later - former; a counter that went back counts as new. */
void live_difference(const struct meter_sum *later, const struct meter_sum *former, struct meter_sum *ret_difference);
void live_note_minute(struct live_slot minute[LIVE_MINUTE_SLOTS], int64_t second, uint64_t requests, uint64_t errors);
struct live_slot live_sum_minute(const struct live_slot minute[LIVE_MINUTE_SLOTS], int64_t second);

#endif
