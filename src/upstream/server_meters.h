/* The meters of a server: its own, and the joint with its service's. For upstream/server.c. Control thread. */
#ifndef UPSTREAM_SERVER_METERS_H
#define UPSTREAM_SERVER_METERS_H

#include "upstream/server.h"

/* Gives it meters as server_count_by said, unless it has such. The former ones stay until the server goes. */
void server_meters_renew(struct server *server);
void server_meters_release(struct server *server);
/* How many tallies a server has: one for each worker, as server_count_by said, and one for the control thread. */
unsigned server_tally_count(void);

#endif
