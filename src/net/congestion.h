/* Congestion control of TCP connections: the one that the user names, else the system's. Only connections within this host are
 * spared one that paces (BBR): over the loopback there is no path to be gentle with, and a timer for each 64 KiB doubles what a
 * large body costs.
 *
 * Threading: any. */
#ifndef NET_CONGESTION_H
#define NET_CONGESTION_H

#include "base/str.h"
#include "net/addr.h"

#define CONGESTION_NAME_SIZE 16      /* with the NUL, as the kernel has it */

/* For a TCP socket before it listens on `address` or connects to it; connections that are accepted inherit it. `name` is empty
 * where the user says nothing. One that is not granted leaves the system's: congestion_check has told. */
void congestion_set(int fd, const struct addr *address, const char *name);
/* Writes a name that passed the check, and the NUL. */
void congestion_name(struct str name, char out[CONGESTION_NAME_SIZE]);
/* For option tables: NULL, or what is wrong with the name. */
const char *congestion_check(struct str name, struct arena *arena, size_t *ret_offset, size_t *ret_length);

#endif
