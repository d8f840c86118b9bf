/* Words about TLS that mean the same towards clients and servers. Private to config/nginx/. */
#ifndef CONFIG_NGINX_SSL_H
#define CONFIG_NGINX_SSL_H

#include "config/nginx/compile.h"

/* "TLSv1.2 TLSv1.3" as minVersion and maxVersion; NULL: nothing is said. */
void nginx_put_versions(struct nginx_compile *compile, struct node *options, const struct nginx_directive *directive);
/* `ssl_conf_command` and its kin as a list `commands`. */
void nginx_put_commands(struct nginx_compile *compile, struct node *options, const struct nginx_directive *first);
/* ssl_session_*, into tls.options. */
void nginx_put_sessions(struct nginx_server *server, struct node *options);

#endif
