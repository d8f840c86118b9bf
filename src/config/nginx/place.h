/* How servers and their places come to be, for the files of the translation that do so. Private to config/nginx/. */
#ifndef CONFIG_NGINX_PLACE_H
#define CONFIG_NGINX_PLACE_H

#include "config/nginx/compile.h"

/* listen.c: the entrypoints of a server, by its `listen`s; they are made where the first server names them. */
void nginx_server_listens(struct nginx_server *server);

/* location.c: the place of the server itself, and those of its locations inside, in the order of the file. */
struct nginx_place *nginx_places(struct nginx_server *server);
/* What the parts make of each; then the routers are complete. */
void nginx_fill_places(struct nginx_place *place);
/* A limit_except whose requests go to another server than those of its location: it is a place of its own. */
bool nginx_has_own_server(const struct nginx_directive *block);

/* compile.c: all parts in their order. */
const struct nginx_part *const *nginx_parts(size_t *ret_count);

/* server.c */
void nginx_servers(struct nginx_compile *compile);

#endif
