/* The one table of nginx's directives: where each may stand, what it takes, and what becomes of it. Each area of the dialect has a
 * table of its own and registers it; nobody lists them.
 *
 *     static const struct nginx_syntax rows[] = {
 *         {"expires", NGINX_HTTP | NGINX_SERVER | NGINX_LOCATION | NGINX_LOCATION_IF, .min = 1, .max = 2},
 *         {"etag", NGINX_EVERYWHERE, .flag = true},
 *         {"sendfile_max_chunk", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = "files go out by sendfile in stretches anyway"},
 *         {"perl_set", NGINX_HTTP, .min = 2, .max = 2, .refused = "there is no Perl in Portico; use map"}};
 *     static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
 *     REGISTER(nginx_syntax_table, table); */
#ifndef CONFIG_NGINX_SYNTAX_H
#define CONFIG_NGINX_SYNTAX_H

#include "base/registry.h"
#include "config/nginx/tree.h"

enum nginx_context {
    NGINX_MAIN = 1,
    NGINX_EVENTS = 2,
    NGINX_HTTP = 4,
    NGINX_SERVER = 8,
    NGINX_LOCATION = 16,
    NGINX_SERVER_IF = 32,
    NGINX_LOCATION_IF = 64,
    NGINX_LIMIT_EXCEPT = 128,
    NGINX_UPSTREAM = 256,
    NGINX_EVERYWHERE = NGINX_HTTP | NGINX_SERVER | NGINX_LOCATION,      /* as nginx.org says: "http, server, location" */
};

#define NGINX_MANY 255

struct nginx_syntax {
    const char *name;
    unsigned contexts;            /* enum nginx_context */
    uint8_t min, max;             /* arguments; NGINX_MANY: any number */
    bool flag;                    /* one argument, on or off (min and max are 1 then) */
    bool block;
    unsigned inside;              /* of a block: the context that its directives stand in; 0: rows of words (map, types, ...) */
    bool repeats;                 /* may be given more than once at one level; otherwise "is duplicate" */
    const char *noted;            /* accepted without effect; why, for `check` (a note) */
    const char *refused;          /* an error; what to use instead */
    const char *help;             /* one line; may be NULL */
};

struct nginx_syntax_table {
    const struct nginx_syntax *rows;
    size_t count;
};
#define NGINX_SYNTAX_TABLE(array) {.rows = (array), .count = sizeof(array) / sizeof((array)[0])}
REGISTRY(nginx_syntax_table, const struct nginx_syntax_table);

/* By name (case matters); NULL: there is none. A name may stand in several rows with different contexts (`if`, `server`): the one
 * that may stand in `context`, else any. */
const struct nginx_syntax *nginx_syntax_find(struct str name, enum nginx_context context);
/* The names of all, for suggestions: how many there are; the first `max` go to `names`. */
size_t nginx_syntax_names(struct str *names, size_t max);

#endif
