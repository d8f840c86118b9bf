/* Names that are looked up on one loop, and remembered there for as long as an answer holds: a worker's, of names that only a request
 * tells, and the control thread's, of servers' names that are watched (upstream/name_watch.h).
 *
 * Names are known without regard to case, by whom they are asked of, and once however many ask. A failure is not remembered, and
 * what is known to be nothing only for a moment.
 *
 * Threading: the loop's. Ownership: a struct lookup is the asker's; it is told once, or cancelled. */
#ifndef UPSTREAM_LOOKUP_H
#define UPSTREAM_LOOKUP_H

#include "base/list.h"
#include "base/status.h"
#include "net/addr.h"
#include "net/loop.h"

struct lookups;

/* Who is asked, and what counts; const, the configuration's. */
struct lookup_rule {
    struct str servers;               /* "10.0.0.53,10.0.0.54:5353"; empty: the system's */
    int64_t valid;                    /* ns that an answer holds; 0: as it says itself */
    int64_t timeout;                  /* ns that whoever asks has patience */
    bool no_v4, no_v6;
};

#define LOOKUP_PLACES_MAX 64

/* Where somebody of this name is. */
struct lookup_place {
    struct ip ip;
    uint16_t port, weight, priority;  /* of a service; else 0 */
};

struct lookup_answer {
    const struct lookup_place *places;      /* valid until the callback returns, or the loop's turn ends */
    unsigned count;
    bool failed;                      /* nobody has answered; else, with count 0, there is none */
    int64_t holds_until;              /* monotonic ns */
    const char *error;                /* a literal, for people; NULL: there are places */
};

struct lookup {
    /* Never from within lookup_begin. */
    void (*done)(struct lookup *lookup, const struct lookup_answer *answer);
    struct list link;                 /* private */
};

/* `max`: names that are remembered at most, but for those that are being asked for. */
struct lookups *lookups_new(struct loop *loop, unsigned max);
/* Whoever still waits is told of a failure. NULL is fine. */
void lookups_free(struct lookups *lookups);

/* `service`: its addresses are those of an SRV record's targets ("_http._tcp", or "http" for that); empty: the name's own.
 * OK: the answer is known. AGAIN: `done` follows. OVERLOADED: it cannot be asked for. */
enum status lookup_begin(struct lookups *lookups, const struct lookup_rule *rule, struct str name, struct str service,
                         struct lookup *lookup, struct lookup_answer *ret_answer);
/* Nobody wants to know any more; also of one that was told or never begun. */
void lookup_cancel(struct lookup *lookup);
/* What was last known, however old it is; count 0: nothing. Asks nobody. */
struct lookup_answer lookup_last(struct lookups *lookups, const struct lookup_rule *rule, struct str name, struct str service);

#endif
