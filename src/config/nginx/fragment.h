/* Files that are meant to be included inside of http { }, such as those of sites-available: `server` and `upstream` at the top. They
 * are read as if they were. Blocks on files; everything lives in the arena. */
#ifndef CONFIG_NGINX_FRAGMENT_H
#define CONFIG_NGINX_FRAGMENT_H

#include "config/nginx/tree.h"

/* Something at the top belongs into http { }, and nothing there opens a block of the main level. */
bool nginx_is_fragment(struct str content);
/* nginx_read of a whole file or of a fragment, which gets a note. */
struct nginx_directive *nginx_read_any(struct str path, struct nginx_files *files, struct arena *arena, struct diag *diag);

#endif
