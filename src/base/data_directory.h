/* Where state lives that nobody gave a place (the local CA, certificates of automatic HTTPS): $PORTICO_DATA, else
 * /var/lib/portico for root, else $XDG_DATA_HOME/portico, else ~/.local/share/portico. Nothing is made by asking. */
#ifndef BASE_DATA_DIRECTORY_H
#define BASE_DATA_DIRECTORY_H

#include "base/arena.h"

struct str data_directory(struct arena *arena);
/* "/var/lib/portico/ca" for "ca"; without a trailing slash. */
struct str data_path(const char *name, struct arena *arena);

#endif
