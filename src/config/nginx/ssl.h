/* Words about TLS that mean the same towards clients and servers. Private to config/nginx/. */
#ifndef CONFIG_NGINX_SSL_H
#define CONFIG_NGINX_SSL_H

#include "config/nginx/compile.h"

/* "TLSv1.2 TLSv1.3" as minVersion and maxVersion; NULL: nothing is said. */
void nginx_put_versions(struct nginx_compile *compile, struct node *options, const struct nginx_directive *directive);
/* `ssl_conf_command` and its kin as a list `commands`. */
void nginx_put_commands(struct nginx_compile *compile, struct node *options, const struct nginx_directive *first);
/* A file of a certificate or key: "data:..." is the PEM text itself, "store:file:..." a file; other stores and engines are not for files.
 * Empty: reported. With variables the name is a template, and what it comes to may be relative. */
struct str nginx_certificate_file(struct nginx_compile *compile, const struct nginx_directive *directive);
/* `ssl_certificate_cache` and its kin as `certificateCache`; NULL: nothing is said. */
void nginx_put_certificate_cache(struct nginx_compile *compile, struct node *owner, const struct nginx_directive *directive);
/* ssl_session_*, into tls.options. */
void nginx_put_sessions(struct nginx_server *server, struct node *options);

#endif
