/* The PROXY header that a trusted load balancer sends before anything else: awaited, read exactly, and then the connection
 * goes on as any other, with the addresses that the header named. A connection without such a header goes on
 * as it is; a malformed header closes it, as does one that is not whole within the time for a request head. Threading: the worker's. */
#ifndef EXCHANGE_GREETING_H
#define EXCHANGE_GREETING_H

#include "net/client.h"

struct port;

/* Takes the descriptor over. */
void greeting_start(struct port *port, int fd, const struct client *client);
void greeting_close_all(struct port *port);

#endif
