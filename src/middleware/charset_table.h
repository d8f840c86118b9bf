/* Conversions between character sets of one byte, and between these and UTF-8, by tables that users write (nginx's charset_map).
 *
 * Threading: const once made. Pure. */
#ifndef MIDDLEWARE_CHARSET_TABLE_H
#define MIDDLEWARE_CHARSET_TABLE_H

#include "base/arena.h"
#include "exchange/filter.h"

#define CHARSET_CHARACTER_MAX 4      /* bytes of a character in UTF-8 */

/* From a set of one byte to another, or to UTF-8; ASCII is itself, what is not in it is '?'. */
struct charset_table {
    struct str from, to;
    bool utf8;                       /* `to` is UTF-8 */
    struct {
        uint8_t len;
        char bytes[CHARSET_CHARACTER_MAX];
    } forward[256];
    uint8_t back[256];               /* not utf8 */
    uint8_t *pages[256];             /* utf8: by a code point's upper byte; 0: it is not in the set */
};

struct charset_table *charset_table_new(struct str from, struct str to, struct arena *arena);
/* One pair: "E4" and "D0B4" (UTF-8, 3 bytes at most) or "C4". False: these are no such numbers. */
bool charset_table_add(struct charset_table *table, struct str from, struct str to, struct arena *arena);

/* Converts bodies; `back`: from table->to to table->from. NULL without memory. */
struct filter *charset_filter_new(struct arena *arena, struct chunk_pool *pool, const struct charset_table *table, bool back);

#endif
