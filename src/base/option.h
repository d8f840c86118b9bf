/* The one option table: a struct that users configure has a table beside it that says what may be set.
 *
 * Everything about options is derived from these tables: binding YAML, flags, environment and labels,
 * validation with suggestions, `portico help OPTION`, the JSON schema and the reference pages. Nobody
 * writes an option down twice.
 *
 *     struct strip_prefix { const struct node *origin; struct strs prefixes; };
 *     static const struct option strip_prefix_options[] = {
 *         OPTION(STRS, struct strip_prefix, prefixes, .required = true,
 *                .help = "Prefixes to remove; the first match wins."),
 *     };
 *     const struct option_table strip_prefix_table =
 *         OPTION_TABLE(struct strip_prefix, strip_prefix_options, .summary = "...");
 *
 * The binder (config/bind.h) allocates and fills such structs in an arena. Defaults are written as a user
 * would write them and parsed by the same code as a user's text. Tables are const and shared. */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/node.h"

enum option_type {
    OPTION_BOOL,        /* bool */
    OPTION_INT,         /* int64_t, bounds min..max */
    OPTION_NUMBER,      /* double */
    OPTION_DURATION,    /* int64_t ns: Go duration or whole seconds, bounds in ns */
    OPTION_SIZE,        /* int64_t bytes: "1MiB" or a number */
    OPTION_STR,         /* struct str */
    OPTION_ENUM,        /* int: the value of one of `names` */
    OPTION_STRS,        /* struct strs: a list, or one scalar split at commas */
    OPTION_STRMAP,      /* struct strmap: names that the user chooses -> strings */
    OPTION_STRUCT,      /* a struct inside, with `table`; always there, defaults where nothing is said */
    OPTION_OBJECT,      /* a pointer to a struct with `table`; NULL when absent (or `false`). `true`,
                         * an empty map and a bare key make it with its defaults */
    OPTION_LIST,        /* struct objects: a list of structs with `table`, names empty */
    OPTION_MAP,         /* struct objects: names that the user chooses -> structs with `table` */
    OPTION_CHOICE,      /* struct choice: `this` object holds exactly one of the keys that `choices` gives
                         * (a middleware's type, a service's kind). The keys stand directly in the object
                         * beside its other options; at most one OPTION_CHOICE per table */
};

struct strs {
    struct str *items;
    size_t count;
};

struct strmap_item {
    struct str name, value;
};
struct strmap {
    struct strmap_item *items;
    size_t count;
};

struct object_item {
    struct str name;          /* the user's name for it; empty in lists */
    void *value;              /* the struct that the table describes */
    const struct node *node;  /* where it came from */
    bool broken;              /* errors were reported about it: it must not be used */
};
struct objects {
    struct object_item *items;
    size_t count;
};

/* One alternative of a OPTION_CHOICE: what a registry entry offers to the binder. */
struct choice_type {
    const char *name;                    /* "stripPrefix" */
    const char *alias;                   /* an older name that is still read, or NULL */
    const char *summary;                 /* one line of help */
    const struct option_table *table;    /* its struct; NULL: a list of names (STRS) is not used, always a table */
};
struct choice {
    const struct choice_type *type;      /* NULL when the user gave none and none was required */
    void *value;                         /* the type's struct */
    const struct node *node;
};
/* The alternatives, by index; NULL behind the last. */
typedef const struct choice_type *(*choice_at)(size_t index);

struct option_name {
    const char *name;
    int value;
};

/* Looks at one text of an option (a STR, each of STRS, each value of a STRMAP); NULL when good, else what
 * is wrong with it ("is not an address"), as a literal or in `arena`. Sets *ret_offset and *ret_length when
 * the fault is a part of the text. */
typedef const char *(*option_check)(struct str text, struct arena *arena, size_t *ret_offset,
                                    size_t *ret_length);

struct option {
    const char *name;            /* camelCase, as in YAML; flags and labels ignore case */
    const char *alias;           /* another name that is read too, or NULL */
    const char *help;            /* one line, a sentence */
    const char *fallback;        /* the default as a user would write it; NULL: zero, empty, absent */
    const struct option_table *table;        /* STRUCT, OBJECT, LIST, MAP */
    const struct option_name *names;         /* ENUM; ends with name NULL */
    choice_at choices;                       /* CHOICE */
    option_check check;
    int64_t min, max;            /* INT, DURATION, SIZE: in force when min < max */
    uint32_t offset;
    uint8_t type;                /* enum option_type */
    bool required;
    bool secret;                 /* never shown in logs or by the API */
    const char *removed;         /* a name that older versions had: what to use instead. Not stored */
    const char *accepted;        /* read and without effect here: why, as a note of `check`. Not stored */
};

struct option_table {
    const char *summary;         /* what the object is, one line */
    const struct option *options;
    size_t count;
    size_t size;                 /* of the struct */
    int origin_offset;           /* of its `const struct node *origin`, or -1 */
    /* What the table cannot say (two options that exclude each other); reports into diag. May be NULL. */
    void (*validate)(void *value, const struct node *node, struct diag *diag);
};

#define OPTION(kind, struct_type, member, ...) \
    {.name = #member, .type = OPTION_##kind, .offset = offsetof(struct_type, member), __VA_ARGS__}
#define OPTION_NAMED(kind, struct_type, member, key, ...) \
    {.name = key, .type = OPTION_##kind, .offset = offsetof(struct_type, member), __VA_ARGS__}
/* For a struct with a member `const struct node *origin`, which the binder sets. */
#define OPTION_TABLE(struct_type, array, ...) \
    {.options = (array), .count = sizeof(array) / sizeof((array)[0]), .size = sizeof(struct_type), \
     .origin_offset = offsetof(struct_type, origin), __VA_ARGS__}
/* For a struct without one, or with no options at all (pass NULL, 0). */
#define OPTION_TABLE_PLAIN(struct_type, array, array_count, ...) \
    {.options = (array), .count = (array_count), .size = sizeof(struct_type), .origin_offset = -1, __VA_ARGS__}

/* By name or alias, case ignored; NULL when there is none. A CHOICE has no key of its own and is not found. */
const struct option *option_find(const struct option_table *table, struct str name);
/* The table's CHOICE, or NULL. */
const struct option *option_find_choice(const struct option_table *table);
/* An alternative of a CHOICE by name or alias, case ignored; NULL when there is none. */
const struct choice_type *choice_find(const struct option *choice, struct str name);
/* A pointer to an option's storage inside `value`. */
static inline void *option_at(void *value, const struct option *option)
{
    return (char *)value + option->offset;
}
/* Whether a text, a list or a map has nothing in it; false for all other types. */
bool option_holds_nothing(const struct option *option, const void *storage);
/* "duration", "list of strings": for help and messages. */
const char *option_type_text(const struct option *option);

#endif
