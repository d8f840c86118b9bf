/* Which site a host belongs to, nginx's way: an exact name, else the longest "*.x", else the longest "x.*", else the first regular
 * expression in the order of the file, else the default one. Hosts are in lower case without port (struct request).
 *
 * Ownership: filled by one owner, then const; keys and expressions are borrowed. Threading: shared once filled. */
#ifndef ROUTE_SITE_NAMES_H
#define ROUTE_SITE_NAMES_H

#include "base/map.h"
#include "base/vec.h"
#include "route/captures.h"

struct site_expression {
    const struct perl_regex *regex;
    void *site;
};

struct site_names {
    struct map exact;             /* "example.com"; "" for requests without a host */
    struct map leading;           /* ".example.com": what "*.example.com" ends with */
    struct map trailing;          /* "www.example.": what "www.example.*" begins with */
    VEC(struct site_expression) expressions;
    void *fallback;               /* NULL: no site has this entrypoint */
    bool only;                    /* there is nothing to be told apart: all hosts are the fallback's */
};

void site_names_init(struct site_names *names);
void site_names_release(struct site_names *names);
/* A name as it is configured, in lower case; `regex` for one that begins with '~'. ".x" is "x" and "*.x". False: another site has
 * the name already, which keeps it. */
bool site_names_add(struct site_names *names, struct str name, const struct perl_regex *regex, void *site, struct arena *arena);
/* Never NULL where `fallback` is set. `captures` as in locations_find; *ret_regex is the expression that matched, or NULL. */
void *site_names_find(const struct site_names *names, struct str host, struct captures *captures,
                      const struct perl_regex **ret_regex);

#endif
