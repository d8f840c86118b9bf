/* Shared zones of limits: "zone=NAME:SIZE" where one is defined, "zone=NAME" where it is used. Private to config/nginx/. */
#ifndef CONFIG_NGINX_ZONE_H
#define CONFIG_NGINX_ZONE_H

#include "config/nginx/compile.h"

struct nginx_zone {
    const struct nginx_directive *directive;      /* that defines it; NULL: only missed so far */
    struct str name;
    int64_t size;
    const struct nginx_word *key;
    struct str rate;              /* of requests; empty: it counts connections */
};

/* Reads all directives of this name at the level of http into compile->zones. `parse` takes each of its other words ("rate=10r/s");
 * false: it is unknown. May be NULL. */
void nginx_zones_read(struct nginx_compile *compile, const char *directive,
                      bool (*parse)(struct nginx_zone *zone, const struct nginx_word *word));
/* NULL: there is none (reported at the word). */
const struct nginx_zone *nginx_zone_find(struct nginx_compile *compile, const char *directive, struct str name,
                                         const struct nginx_word *word);
/* What limits have in common: the status, the dry run and the level of "DIRECTIVE_status" and its kin. */
void nginx_put_zone_policy(struct nginx_place *place, struct node *options, const char *directive, struct span span);

#endif
