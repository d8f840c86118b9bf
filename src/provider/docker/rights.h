/* What the helper process may still do: as little as opens the engine's socket.
 *
 * The process that calls these is the helper alone; one thread. */
#ifndef PROVIDER_DOCKER_RIGHTS_H
#define PROVIDER_DOCKER_RIGHTS_H

#include <stdbool.h>

/* Nothing new can be gained, nothing looked into, no descriptor but `keep` and standard error is left, and the process ends with
 * its parent. */
void rights_harden(int keep);
/* Gives up root for good: for nobody in the socket's group where that opens it, else for the socket's owner, else root stays without
 * its capabilities. False: the socket is not there yet, so nobody knows; ask again. An empty path: no socket, nobody at all.
 * Whoever is not root loses capabilities only. */
bool rights_settle(const char *socket_path);

#endif
