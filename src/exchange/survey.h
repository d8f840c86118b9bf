/* Asking every worker what only it knows: a message to each loop, a report back from each, one callback when all have answered.
 *
 * Threading: survey_start and the callback on the control thread; reports are filled on the workers. A worker whose loop has
 * ended does not answer, so none is started once stopping has come that far (survey_close). */
#ifndef EXCHANGE_SURVEY_H
#define EXCHANGE_SURVEY_H

#include "exchange/exchange.h"
#include "observe/recent.h"

enum survey_wish {
    SURVEY_EXCHANGES = 1,             /* those under way, up to SURVEY_EXCHANGES_MAX of each worker, oldest first */
    SURVEY_REQUESTS = 2,              /* recent requests */
    SURVEY_FAILURES = 4,              /* recent failures */
    SURVEY_RESET_LAG = 8,             /* the longest turn is measured anew from now on; see survey_take_lag */
};
#define SURVEY_EXCHANGES_MAX 500

struct open_exchange {
    uint64_t id;                      /* the same as long as it lives, unique among those that live */
    enum step step;
    int64_t age, step_age;            /* ns; step_age: since bytes last moved or what is waited for changed */
    uint64_t bytes_in, bytes_out;     /* of bodies, so far */
    unsigned attempts;
    bool upgraded, tls;
    bool held;                        /* it waits for a server to become ready */
    struct str method, host, path, client, entrypoint, router, service, server, middleware, request_id, protocol;
};

struct port_report {
    struct str entrypoint;
    uint64_t accepted;                /* connections since the port opened */
    unsigned open;
};

struct worker_report {
    unsigned worker;
    struct arena arena;               /* of the texts */
    int64_t longest_turn;             /* ns of work in one turn of its loop */
    uint64_t buffer_bytes;            /* handed out */
    unsigned exchanges, connections, idle_upstream, idle_pipes;
    uint64_t sent_away[STATUS_COUNT];
    uint64_t handshakes, handshakes_resumed, handshakes_failed;
    uint64_t log_lines_lost;
    struct port_report *ports;
    size_t port_count;
    struct open_exchange *open;
    size_t open_count;
    struct recent_entry *requests, *failures;
    size_t request_count, failure_count;
};

struct survey {
    unsigned wishes;
    uint64_t after;                   /* recent entries with a number above it */
    void *owner;
    struct worker_report *reports;    /* one for each worker, when `done` is called */
    unsigned count;
    bool whole;                       /* every worker has answered; where it was closed before, some reports are zeros */
};

/* On the worker: what it knows, for these wishes. The texts lie in report->arena, which is inited here. */
void survey_fill(struct worker *worker, unsigned wishes, uint64_t after, struct worker_report *report);

void survey_open(struct worker *control, struct worker *workers, unsigned count);
/* No more reports are to be expected: what is under way is answered with what has come. */
void survey_close(void);
/* `done` is called once, on the control thread, perhaps before this returns (no workers); reports and their texts are freed when
 * it returns. False when it was closed: `done` is not called. */
bool survey_start(unsigned wishes, uint64_t after, void *owner, void (*done)(struct survey *survey));
/* Several look at the longest turn, each since it looked last. */
enum lag_reader { LAG_PROMETHEUS, LAG_OTLP, LAG_LIVE, LAG_READERS };
/* The longest turn (ns) of a worker that surveys with SURVEY_RESET_LAG have told of since this reader took it; then 0 again. */
int64_t survey_take_lag(unsigned worker, enum lag_reader reader);
/* Monotonic ns at which the worker last answered (at first: at which surveys began), for the watchdog; INT64_MAX while closed. */
int64_t survey_heard(unsigned worker);

#endif
