/* What a request to a site (model/http.h: sites, locations) has come to: its path as locations see it, redirects inside, the text
 * that the last regular expression has matched. Lies in the exchange's arena; made by step FIND_ROUTE. Worker's thread.
 *
 * Redirects inside are edges of the spine back to FIND_ROUTE. A hook calls one of the exchange_go_ functions and gives
 * VERDICT_REROUTE (a service: PICK_REROUTE); from on_response the response at hand is dropped, its status stays in
 * x->visit->former_status. More than VISIT_REDIRECTS_MAX of them are a 500. The chain that was left is finished with the
 * exchange, never run again. */
#ifndef EXCHANGE_VISIT_H
#define EXCHANGE_VISIT_H

#include "exchange/exchange.h"
#include "route/captures.h"

struct site;

#define VISIT_REDIRECTS_MAX 10

struct former_chain;
struct script_program;

/* Where a script goes on (middleware/script.h). */
struct script_place {
    const struct script_program *program;     /* NULL: none is to go on */
    unsigned at;
    bool rewritten;               /* the path is another, and no location was looked for since */
    bool plain;                   /* captures are texts: no rewrite has asked for their escaping */
};

struct visit {
    struct site *site;
    struct str uri;               /* the path decoded, its dots resolved, slashes merged: what locations see ($uri) */
    bool prefix_lost;             /* a rewrite changed the path within a location, which it stays in: the location's path is no prefix of it */
    struct script_place rest;     /* of the script whose branch led here */
    bool uri_changed;             /* by a rewrite or a redirect: what goes to servers is written anew from `uri` and the query */
    bool internal;                /* it came here by a redirect of ours: locations that are internal let it in */
    bool entered;                 /* the site's own middlewares were passed */
    bool redirected_by_error;     /* an error page is being fetched: its errors are not replaced again, unless asked for */
    bool uri_below_root;          /* `uri` lies below a root that otherwise names a file: tryFiles has found it there */
    enum status refused;          /* by the site as a whole, before a location is looked for; OK: it is not */
    bool lost;                    /* the location that it is to go to is not there */
    unsigned redirects;
    int status_override;          /* of the final response; 0: as it comes */
    int former_status;            /* of the response that an error page takes the place of; 0: none */
    struct captures captures;     /* of the last match: $1 to $9 */
    struct router *location;      /* where it is now, or whose `if` it is in */
    struct router *next;          /* where it goes next without a search; NULL: by uri */
    struct former_chain *former;  /* chains that were left */
    struct fields *demands;       /* see exchange_keep_demands; NULL: none */
    struct str path;              /* the request's path, raw, when `uri` was made of it */
};

/* To the location that has `uri` (decoded; views that live as long as the exchange); `query` data NULL: none. */
void exchange_go_to(struct exchange *x, struct str uri, struct str query);
/* To a location by name, without the '@'; method, path and query stay. Without such a location: a 500. */
void exchange_go_to_named(struct exchange *x, struct str name);
/* Goes on in another router of the same site, behind its script: a branch of an `if`. Counts as no redirect. */
void exchange_go_to_router(struct exchange *x, struct router *router);
/* Another path from here on, without a redirect (decoded; a view that lasts): what comes behind sees it, servers too. */
void exchange_set_uri(struct exchange *x, struct str uri);
/* Looks for the location of x->visit->uri anew, as `rewrite ... last` does: as exchange_go_to, but the request does not become an
 * internal one. */
void exchange_look_again(struct exchange *x);
/* The path becomes another one (decoded), and the query (data NULL: none): by a rewrite. Where the request goes on, the caller says. */
void exchange_rewrite(struct exchange *x, struct str uri, struct str query);
/* visit_page.c. Before one of these, from on_response: what the response at hand asks of the client (WWW-Authenticate, Location,
 * Retry-After) holds for the one that takes its place as well, unless that says otherwise; of a server's, WWW-Authenticate alone. */
void exchange_keep_demands(struct exchange *x);
/* The visit of an exchange; one without a site when it came by a rule, for templates there. NULL: no memory. */
struct visit *exchange_visit(struct exchange *x);

/* For the spine: */

/* The site of a request that no rule has taken; false: there is none. The site may refuse it (visit->refused). */
bool visit_begin(struct exchange *x);
/* The same for a request whose head is refused with `status`: the site gives its error pages. */
bool visit_begin_refused(struct exchange *x, enum status status);
/* Where the visit goes next: x->router is set. False: x->failure says why not, or an answer was made. */
bool visit_route(struct exchange *x);
/* Lets go of the chain and of what the request was doing there, before it is routed anew. REDIRECT_CYCLE, NO_LOCATION, OUT_OF_MEMORY. */
enum status visit_leave(struct exchange *x);
/* on_finish for the chains that were left. */
void visit_end(struct exchange *x);
/* visit_page.c. A response that takes the place of another: it goes out with the status that was decided then, unless it is only the
 * customary page of a failure of its own, and with what still holds of the other. Before the chain sees it. */
void visit_dress_response(struct exchange *x);

/* `uri` as it goes to a server or into a Location: what may not stand in a path is escaped. In the arena. */
struct str visit_escape_uri(struct exchange *x, struct str uri);

#endif
