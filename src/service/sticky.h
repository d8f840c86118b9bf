/* Sticky sessions: a cookie that says which server (or which child of a weighted service) had the client last, a name that the request
 * has for the server, or the application's own sessions, learnt as they pass (service/sessions.h).
 * The cookie's value is the chosen one's stable hash, so it means the same after a restart and on other instances. */
#ifndef SERVICE_STICKY_H
#define SERVICE_STICKY_H

#include "exchange/compile.h"
#include "exchange/exchange.h"
#include "exchange/text_template.h"
#include "service/sessions.h"

enum same_site { SAME_SITE_UNSET, SAME_SITE_NONE, SAME_SITE_LAX, SAME_SITE_STRICT };

struct sticky_cookie {
    const struct node *origin;
    struct str name;                /* empty: "_" and 5 hex digits of the service's name */
    bool secure, http_only;
    int same_site;
    int64_t max_age;                /* seconds; 0: until the browser ends; below: at once */
    struct str path;
    struct str domain, same_site_text;    /* templates */
    bool always;                    /* with each response */
};
struct sticky_learn {
    const struct node *origin;
    struct strs lookup, create;     /* templates; the first that has a value is the session's name */
    int64_t timeout;                /* ns */
    int64_t max;                    /* sessions */
    bool on_head;
};
struct sticky_config {
    const struct node *origin;
    struct strs route;              /* templates; the first that has a value names a server's `route` */
    struct sticky_cookie *cookie;
    struct sticky_learn *learn;
};
extern const struct option_table sticky_table;

/* Compiled; in the snapshot's arena. */
struct sticky {
    struct str name;                /* empty: no cookie */
    struct str attributes;          /* "; Path=/; HttpOnly" */
    const struct text_template *domain, *same_site;     /* that requests have a say in; NULL: those that `attributes` has, or none */
    bool always;                    /* the cookie is set with each response */
    struct sticky_texts {
        const struct text_template **items;
        unsigned count;
    } route, lookup, create;
    struct sessions *sessions;      /* NULL: none are learnt */
    int64_t timeout;                /* of a session, ns */
    unsigned max;                   /* sessions */
    bool on_head;                   /* learnt when a response begins, not when the exchange ends */
};

/* What the request names by `route`; empty: nothing. */
struct str sticky_route(const struct sticky *sticky, struct exchange *x);
/* The server that the request's session was seen at; false: none is known. */
bool sticky_session(const struct sticky *sticky, struct exchange *x, uint64_t *ret_id);
/* A response comes from this server: its session is learnt. */
void sticky_learn(const struct sticky *sticky, struct exchange *x, uint64_t id);
/* NULL when `config` asks for none, or after an error. */
const struct sticky *sticky_compile(const struct sticky_config *config, struct str service, struct compile *compile);
/* The id in the request's cookie; false when there is none. */
bool sticky_wanted(const struct sticky *sticky, const struct request *request, uint64_t *ret_id);
/* Adds Set-Cookie to the exchange's response, unless the request came with this very id and it is not set always. */
void sticky_answer(const struct sticky *sticky, struct exchange *x, uint64_t id);

#endif
