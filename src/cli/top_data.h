/* What `portico top` knows: the last tick of the API's live stream laid over what was seen before, and the lists that a view asks
 * for. No I/O, no terminal; one thread. */
#ifndef CLI_TOP_DATA_H
#define CLI_TOP_DATA_H

#include <jansson.h>
#include <stdbool.h>

#include "base/str.h"

enum top_view { TOP_ENTRYPOINTS, TOP_ROUTERS, TOP_SERVICES, TOP_SERVERS, TOP_EXCHANGES, TOP_FAILURES, TOP_PROBLEMS, TOP_VIEWS };

struct top_data {
    json_t *overview;             /* GET overview; NULL: none came yet */
    json_t *total;                /* of the last tick */
    json_t *rows[TOP_VIEWS];      /* an array of objects for each view, with "name" where things have one */
    bool can_write;
    long long lost;               /* ticks that did not reach us */
};

void top_data_init(struct top_data *data);
void top_data_release(struct top_data *data);

/* One event of the live stream ("hello", "tick"). Things that had no traffic in this tick stand at zero. */
void top_data_event(struct top_data *data, struct str event, json_t *body);
/* The answer to GET /api/portico/ + the view's path; takes no reference. */
void top_data_list(struct top_data *data, enum top_view view, json_t *body);
void top_data_overview(struct top_data *data, json_t *body);
/* The names of things, from GET map, so that quiet ones are listed too. */
void top_data_map(struct top_data *data, json_t *body);

/* "exchanges": what a view is asked for below /api/portico/; NULL: the live stream has it. */
const char *top_view_path(enum top_view view);
const char *top_view_title(enum top_view view);

#endif
