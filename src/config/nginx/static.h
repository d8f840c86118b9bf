/* What the files of nginx's static side share while it is translated. Private to config/nginx/. */
#ifndef CONFIG_NGINX_STATIC_H
#define CONFIG_NGINX_STATIC_H

#include "config/nginx/compile.h"

/* Objects that are the same wherever the same directives hold are made once: a key of these directives. `names` ends with NULL. */
struct str nginx_static_key(const struct nginx_place *place, const char *prefix, const char *const *names);
/* The middleware that was made for `key` joins the chain; else a new one does, whose options are given. NULL: it was there. */
struct node *nginx_shared_middleware(struct nginx_place *place, enum nginx_chain at, const char *type, struct str key,
                                     struct span span);

/* disable_symlinks, as the options `symlinks` and `symlinksFrom`. */
void nginx_static_links(struct nginx_place *place, struct node *options);
/* Clients behind proxies get nothing coded (gzip_proxied). */
bool nginx_static_direct(const struct nginx_place *place);

#endif
