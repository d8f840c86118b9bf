/* What the files of the translation that lead to servers share: proxy*.c, grpc.c, upstream*.c, transport.c. Private to them. */
#ifndef CONFIG_NGINX_UPSTREAM_H
#define CONFIG_NGINX_UPSTREAM_H

#include "config/nginx/compile.h"

/* A URL of proxy_pass or grpc_pass in its parts; views into the word, with nginx's variables as they stand. */
struct nginx_url {
    struct str whole, scheme;     /* "http", "https", "grpc", "grpcs" */
    struct str authority;         /* "host:port", or "unix:/path" */
    struct str uri;               /* behind it; empty: none */
    bool unix_socket, secure, variables;
};

/* proxy_url.c. False after an error was reported. */
bool nginx_url_parse(struct nginx_compile *compile, const struct nginx_directive *directive, const struct nginx_word *word,
                     struct nginx_url *ret_url);
/* What sends a place's requests on: the `retries` of its service. */
void nginx_put_retries(struct nginx_place *place, const char *prefix, struct node *options);

/* transport.c. "proxy" or "grpc", by the place's content. */
const char *nginx_place_prefix(const struct nginx_place *place);

/* proxy.c: the service of a place. */
void nginx_put_service(struct nginx_place *place, const struct nginx_directive *directive, const struct nginx_url *url);

/* proxy_fields.c: members of a `proxyPass`. */
void nginx_put_fields(struct nginx_place *place, const char *prefix, struct node *options);
void nginx_put_response(struct nginx_place *place, const char *prefix, struct node *options);
void nginx_put_redirects(struct nginx_place *place, const struct nginx_directive *pass, const struct nginx_url *url, struct str location,
                         struct node *options);
void nginx_put_cookies(struct nginx_place *place, struct node *options);

/* upstream.c */

/* The upstream{} that a place's URL names; NULL: it names none. */
const struct nginx_directive *nginx_place_group(const struct nginx_place *place);
/* The service of the model for a URL without variables: the group that its host names, or the host itself; made when it is first
 * asked for. `scheme`: of the model's URLs: "http", "https" or "h2c". */
struct str nginx_service_of(struct nginx_compile *compile, const struct nginx_url *url, const char *scheme, struct span span);
/* All groups, for hosts that are known at run time alone: "word://name" and service are put into `map`; `scheme` as above. */
void nginx_all_groups(struct nginx_compile *compile, struct node *map, const char *word, const char *scheme, struct span span);
/* resolver.c: `resolver` of a service or server. `timeout` NULL: none is said. */
struct node *nginx_put_resolver(struct nginx_compile *compile, struct node *options, const struct nginx_directive *directive,
                                const struct nginx_directive *timeout);
/* upstream_sticky.c: `sticky` of a load balancer. */
void nginx_put_sticky(struct nginx_compile *compile, struct node *options, const struct nginx_directive *group);
/* A directive of a block without a scope of its own, by name; NULL: it has none. */
const struct nginx_directive *nginx_within(const struct nginx_directive *block, const char *name);

#endif
