/* What a file is, by the end of its name: a set of http.mediaTypes, as it is compiled.
 *
 * Ownership: whoever made the set; it is const on the request path and shared. */
#ifndef EXCHANGE_MEDIA_TYPES_H
#define EXCHANGE_MEDIA_TYPES_H

#include "base/arena.h"
#include "base/map.h"
#include "model/http.h"

struct media_types {
    struct map by_extension;      /* lower case -> struct str */
    struct str fallback;          /* empty: others have none */
};

/* Texts stay the model's. */
struct media_types *media_types_new(const struct media_types_config *config, struct arena *arena);
/* Its map does not lie in the arena. */
void media_types_release(struct media_types *types);
/* The type for a name or path ("/a/b.html"); empty: none. */
struct str media_types_of(const struct media_types *types, struct str name);

#endif
