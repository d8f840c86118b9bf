/* A place in a tree of option tables, reached key by key: what help, the command line, the environment and
 * suggestions have in common. Tables are const; a place is a value to copy. */
#ifndef CONFIG_PLACE_H
#define CONFIG_PLACE_H

#include "base/option.h"

struct place {
    const struct option_table *table;   /* inside an object: its keys come next; NULL elsewhere */
    const struct option *option;        /* that led here; NULL at the root and in a choice */
    const struct choice_type *choice;   /* the alternative that led here, or NULL */
    bool name_next;                     /* a name that the user chooses comes next (MAP, STRMAP) */
    bool index_next;                    /* an index comes next (LIST) */
    bool is_value;                      /* a plain value, or one of a STRMAP */
};

struct place place_root(const struct option_table *table);
/* One step by a key or a name; false when there is nothing of that name. Indexes: place_index. */
bool place_enter(struct place *place, struct str key);
/* Into an item of a LIST or STRS. */
bool place_index(struct place *place);
/* Follows a dotted path with indexes; at the first unknown step gives false, with the place before it and
 * that step (a part of `path`; it begins with '[' when an index is what does not fit) in *ret_failed. */
bool place_follow(struct place *place, struct str path, struct str *ret_failed);
/* The key as the tables spell it, for a key that place_enter accepts; the key itself for a user's name. */
struct str place_spelling(const struct place *place, struct str key);

/* The keys that may follow, without aliases and removed ones, as an array in `arena`. */
struct str *place_keys(const struct place *place, struct arena *arena, size_t *ret_count);

/* Whether `--path` alone means `--path=true`: booleans and objects. */
bool place_is_switch(const struct place *place);

/* Where `key` is an option below `table`, as a path ("http.routers.NAME.rule"): the shallowest one; empty
 * when nowhere. */
struct str place_search(const struct option_table *table, struct str key, struct arena *arena);

#endif
