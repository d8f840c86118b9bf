/* How fast a server answers: a weighted average of the time to the first byte. Each worker keeps its own, for people; where a balancer
 * goes by it (server_weigh), all share one.
 * The worker's thread; a measure that is lost to another worker's does no harm. */
#ifndef UPSTREAM_MEASURE_H
#define UPSTREAM_MEASURE_H

#include "upstream/server.h"

/* ns after which an old average counts half: a server that was slow once is tried again. */
#define MEASURE_HALF_LIFE INT64_C(10000000000)

/* A response began `first_byte` ns after its server was chosen. */
void measure_response(struct server *server, unsigned worker, int64_t first_byte, int64_t now);
/* An attempt failed: it counts as a slow answer, lest the quickest to fail be liked best. */
void measure_failure(struct server *server, unsigned worker, int64_t now);
/* The expected time to the first byte of a server that is weighed, at least 1; 0: nothing is known. Any thread. */
int64_t measure_expected(const struct server *server, int64_t now);
/* The average that was made last, of whichever worker; 0: none. For people, on any thread. */
int64_t measure_shown(const struct server *server);

#endif
