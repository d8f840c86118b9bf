/* What nginx.conf says of clients: of an address as a whole, where no server is known yet. Private to config/nginx/. */
#ifndef CONFIG_NGINX_CLIENT_H
#define CONFIG_NGINX_CLIENT_H

#include "config/nginx/listen.h"

/* Limits and timeouts of heads and idle connections, as the default server of the address has them. */
void nginx_entry_limits(struct nginx_compile *compile, struct nginx_address *address);

#endif
