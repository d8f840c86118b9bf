/* A file service as it is compiled, and the parts of an answer. Private to files/.
 *
 * The way of a request: files.c finds what its path names, coding.c may put a compressed sidecar in its place, answer.c judges
 * conditions and ranges and makes the head, content.c gives the bytes; listing.c answers for folders. */
#ifndef FILES_SITE_H
#define FILES_SITE_H

#include "exchange/service.h"
#include "files/mime.h"
#include "files/tree.h"

#define CODINGS_MAX 3

struct coding {
    struct str name;              /* in Accept-Encoding and Content-Encoding */
    struct str suffix;            /* of the sidecar: ".br" */
};

struct files {                    /* the options */
    const struct node *origin;
    struct str root, spa;
    struct strs index, precompressed;
    struct strmap headers;
    int64_t max_age;
    bool browse, hidden, follow_symlinks;
};

struct site {                     /* the service's state */
    const struct files *options;
    struct tree tree;
    const struct mime_types *types;
    struct str cache_control;     /* empty: none */
    struct str spa_name;          /* of the file that answers for unknown paths; empty: none does */
    const struct coding *codings[CODINGS_MAX];     /* as preferred */
    unsigned coding_count;
};

/* The coding of a name that users write ("br"); NULL when there is none. */
const struct coding *coding_find(struct str name);
/* Opens the sidecar of `name` that the client likes best, in place of *file (which is closed); NULL: `file` stays. */
const struct coding *coding_choose(struct exchange *x, struct site *site, struct str name, struct tree_file *file);

/* Answers with a regular file, whose descriptor it takes. `fresh`: caches must ask each time. */
void answer_file(struct exchange *x, struct site *site, struct str name, struct tree_file *file, bool fresh);
/* What a response for this service carries besides: the user's fields, and Cache-Control. */
void answer_add_fields(struct exchange *x, const struct site *site, bool fresh);

/* Answers with what is in a folder, whose descriptor it takes; `name` as tree_name gave it, with a slash at its end. */
void listing_answer(struct exchange *x, struct site *site, struct str name, int folder);

#endif
