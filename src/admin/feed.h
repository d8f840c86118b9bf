/* Server-sent events (text/event-stream): what happens now, to whoever listens.
 *
 * The control thread writes an event once; every worker with listeners gets one reference to it and puts it into the queues of
 * its exchanges. A client that does not keep up loses events, the oldest first (the next one it gets has `"lost": n`), never
 * memory. A stream begins with the event "hello": {generation, canWrite, version}; where there is nothing else it has a comment
 * now and then. One whose configuration does not run any more ends after a minute: the client comes back and is let in anew.
 *
 * Threading: feed_publish on the control thread; feed_listen on the worker of the exchange. */
#ifndef ADMIN_FEED_H
#define ADMIN_FEED_H

#include "exchange/service.h"

enum feed { FEED_LIVE, FEED_REQUESTS, FEED_COUNT };

/* A path of the API whose GET is answered on the worker, with a stream: api@internal looks here first. */
struct admin_stream {
    const char *path;                 /* "/api/portico/live" */
    enum pick_result (*listen)(struct exchange *x);
};
REGISTRY(admin_stream, const struct admin_stream);

/* Answers the exchange with the stream. */
enum pick_result feed_listen(struct exchange *x, enum feed feed);
/* Anybody there? Cheap; control thread. */
bool feed_is_heard(enum feed feed);
/* `data`: a JSON object on one line. */
void feed_publish(enum feed feed, const char *event, struct str data);
/* All streams end after what they were sent. */
void feed_close(void);

#endif
