/* What map, geo and split_clients share: each makes a variable of http.variables. Control thread. */
#ifndef CONFIG_NGINX_COMPUTED_H
#define CONFIG_NGINX_COMPUTED_H

#include "config/nginx/compile.h"

/* The options of that kind of a new variable ("$name"); one of that name before it is forgotten, as nginx does. NULL: it is no name
 * (reported). */
struct node *nginx_variable(struct nginx_compile *compile, const struct nginx_word *word, const char *kind);

#endif
