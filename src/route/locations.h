/* The paths of one site, nginx's way: an exact path wins; else the longest prefix is remembered, and wins at once when it is final;
 * else the first regular expression in the order of the file; else the remembered prefix. Locations may be nested: the remembered
 * prefix's own locations are asked first, then the expressions of the outer level.
 *
 * What is matched is the path decoded and normalised, without the query. Ownership: everything in the caller's arena. Threading:
 * const once made, shared. */
#ifndef ROUTE_LOCATIONS_H
#define ROUTE_LOCATIONS_H

#include "model/http.h"
#include "route/captures.h"

struct location_level;

struct location {
    enum location_match match;
    struct str path;              /* PREFIX, PREFIX_FINAL, EXACT; NAMED: the name; of expressions their text, for people */
    const struct perl_regex *regex;
    struct location *within;      /* NULL: the site's own level */
    bool adds_slash;              /* its path without the slash at the end leads to it by a redirect */
    void *router;                 /* the caller's */
    struct location_level *inner; /* made by locations_new; NULL: nothing is nested in it */
};

/* `items` in the order of the file; those that are NAMED or INNER are passed over. Gives the site's own level; never NULL. */
struct location_level *locations_new(struct location *const *items, size_t count, struct arena *arena);

enum location_found {
    LOCATION_FOUND_NONE,
    LOCATION_FOUND,
    LOCATION_FOUND_SLASH,         /* the location's path is that of the request and a slash: to be redirected */
};
/* `captures` gets what an expression has captured, and is left alone otherwise. */
enum location_found locations_find(const struct location_level *level, struct str path, struct captures *captures,
                                   const struct location **ret_location);

/* Why: what locations_find looked at, for `explain`. */
struct location_reason {
    const struct location *winner;        /* NULL: none */
    const struct location *remembered;    /* the longest prefix that fits (the outer level's); NULL: none */
    const struct location *expression;    /* the first expression that fits, whether it was asked or not; NULL: none */
    bool slash;                           /* LOCATION_FOUND_SLASH */
};
void locations_explain(const struct location_level *level, struct str path, struct location_reason *ret_reason);

#endif
