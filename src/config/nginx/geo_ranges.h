/* The ranges of a geo block while it is read: a range within another takes its place out of it, and what is deleted must be one of
 * the pieces that there are. Ownership: the list is released by its user; texts are views. Control thread. */
#ifndef CONFIG_NGINX_GEO_RANGES_H
#define CONFIG_NGINX_GEO_RANGES_H

#include "base/vec.h"
#include "config/nginx/tree.h"

struct geo_piece {
    uint32_t first, last;
    struct str text;              /* as it was written; empty: it is what is left of one */
    struct str value;
    struct span span, value_span;
};
struct geo_pieces {
    VEC(struct geo_piece) list;   /* in the order of addresses */
};

enum geo_range_result { GEO_RANGE_DONE, GEO_RANGE_DUPLICATE, GEO_RANGE_OVERLAPS, GEO_RANGE_ABSENT };

/* "10.0.0.1-10.0.0.9", IPv4 alone. */
bool geo_range_parse(struct str text, uint32_t *ret_first, uint32_t *ret_last);
/* DUPLICATE: the value is the new one. With it, and with OVERLAPS, *ret_other is what was there. */
enum geo_range_result geo_range_add(struct geo_pieces *pieces, const struct geo_piece *piece, struct geo_piece *ret_other);
enum geo_range_result geo_range_delete(struct geo_pieces *pieces, uint32_t first, uint32_t last);
struct str geo_piece_text(const struct geo_piece *piece, struct arena *arena);

#endif
