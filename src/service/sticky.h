/* Sticky sessions: a cookie that says which server (or which child of a weighted service) had the client last.
 * The value is the chosen one's stable hash, so it means the same after a restart and on other instances. */
#ifndef SERVICE_STICKY_H
#define SERVICE_STICKY_H

#include "exchange/compile.h"
#include "exchange/exchange.h"
#include "exchange/text_template.h"

enum same_site { SAME_SITE_UNSET, SAME_SITE_NONE, SAME_SITE_LAX, SAME_SITE_STRICT };

struct sticky_cookie {
    const struct node *origin;
    struct str name;                /* empty: "_" and 5 hex digits of the service's name */
    bool secure, http_only;
    int same_site;
    int64_t max_age;                /* seconds; 0: until the browser ends; below: at once */
    struct str path, domain;
};
struct sticky_config {
    const struct node *origin;
    struct strs route;              /* templates; the first that has a value names a server's `route` */
    struct sticky_cookie *cookie;
};
extern const struct option_table sticky_table;

/* Compiled; in the snapshot's arena. */
struct sticky {
    struct str name;                /* empty: no cookie */
    struct str attributes;          /* "; Path=/; HttpOnly" */
    const struct text_template **route;
    unsigned route_count;
};

/* What the request names by `route`; empty: nothing. */
struct str sticky_route(const struct sticky *sticky, struct exchange *x);
/* NULL when `config` asks for none, or after an error. */
const struct sticky *sticky_compile(const struct sticky_config *config, struct str service, struct compile *compile);
/* The id in the request's cookie; false when there is none. */
bool sticky_wanted(const struct sticky *sticky, const struct request *request, uint64_t *ret_id);
/* Adds Set-Cookie to the exchange's response, unless the request came with this very id. */
void sticky_answer(const struct sticky *sticky, struct exchange *x, uint64_t id);

#endif
