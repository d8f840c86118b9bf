/* A file service as it is compiled, and the parts of an answer. Private to files/.
 *
 * The way of a request: finder.c finds where its files are, files.c what its path names, folder.c what answers for a folder; coding.c
 * may put a compressed sidecar in a file's place, answer.c judges conditions and ranges and makes the head, content.c gives the
 * bytes; listing.c and index_of.c show what is in a folder.
 *
 * To a request of a site the service behaves as nginx's files: an index is found by a redirect inside, folders that have none are
 * forbidden, redirects are written as the location says. */
#ifndef FILES_SITE_H
#define FILES_SITE_H

#include "exchange/service.h"
#include "files/finder.h"
#include "files/listing.h"
#include "files/mime.h"

struct media_types;

#define CODINGS_MAX 3

struct coding {
    struct str name;              /* in Accept-Encoding and Content-Encoding */
    struct str suffix;            /* of the sidecar: ".br" */
};

enum etag_form { ETAG_PRECISE, ETAG_SHORT, ETAG_OFF };
enum browse_format { BROWSE_AUTO, BROWSE_HTML, BROWSE_JSON, BROWSE_XML, BROWSE_JSONP };

struct files {                    /* the options */
    const struct node *origin;
    struct str root, spa;
    struct strs index, precompressed;
    struct strmap headers;
    int64_t max_age;
    bool browse, hidden, follow_symlinks;
    int links, etag, browse_format;
    struct str links_from, media_types;
    bool conditions, precompressed_always, precompressed_vary, precompressed_direct;
    bool log_missing;
    bool browse_exact_size, browse_local_time, browse_utf8;
};

struct file_site {                /* the service's state */
    const struct files *options;
    struct finder finder;
    const struct mime_types *system_types;
    const struct media_types *types;      /* NULL: the location's, else the system's */
    const struct text_template **index;
    struct str cache_control;     /* empty: none */
    struct str spa_name;          /* of the file that answers for unknown paths; empty: none does */
    const struct coding *codings[CODINGS_MAX];     /* as preferred */
    unsigned coding_count;
};

/* The coding of a name that users write ("br"); NULL when there is none. */
const struct coding *coding_find(struct str name);
/* Opens the sidecar of `name` that the client likes best, in place of *file (which is closed, if it is open: fd -1); NULL: `file`
 * stays. */
const struct coding *coding_choose(struct exchange *x, struct file_site *site, const struct spot *spot, struct str name,
                                   struct tree_file *file);

/* Answers with a regular file, whose descriptor it takes (-1: there is none but perhaps a sidecar); `fresh`: caches must ask each
 * time. False: there is nothing to answer with. */
bool answer_file(struct exchange *x, struct file_site *site, const struct spot *spot, struct str name, struct tree_file *file,
                 bool fresh);
/* What a response for this service carries besides: the user's fields, and Cache-Control. */
void answer_add_fields(struct exchange *x, const struct file_site *site, bool fresh);
void answer_refusal(struct exchange *x, enum status status);
/* The same, and its router's error log says which file it was. */
void answer_missing(struct exchange *x, const struct file_site *site, const struct spot *spot, struct str name, enum status status);
/* Nothing has that name: the application's own paths are answered by its index. */
void answer_unknown(struct exchange *x, struct file_site *site, const struct spot *spot, struct str name);
/* An application's index names files by their hashes: were it kept, a new version would not be seen. */
bool answer_is_fresh(const struct file_site *site, struct str name);

/* Answers for a folder; `name` is "" or ends with a slash. */
enum pick_result folder_answer(struct exchange *x, struct file_site *site, const struct spot *spot, struct str name);

/* Answers with what is in a folder, whose descriptor it takes. */
void listing_answer(struct exchange *x, struct file_site *site, const struct spot *spot, struct str name, int folder);

#endif
