/* Who may come in to a place: the guards that a level of nginx.conf asks for, in nginx's order (addresses, a password, a question to
 * a location). Private to config/nginx/. */
#ifndef CONFIG_NGINX_GUARDS_H
#define CONFIG_NGINX_GUARDS_H

#include "config/nginx/compile.h"

/* auth.c: adds the names of new middlewares to `list`, where the scope has auth_basic and auth_request. */
void nginx_add_basic_auth(struct nginx_place *place, const struct nginx_scope *scope, struct node *list);
void nginx_add_auth_request(struct nginx_place *place, const struct nginx_scope *scope, struct node *list);

#endif
