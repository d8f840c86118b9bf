/* Where the files of a request lie, for what looks for them (the files service, tryFiles): below a root of its own options, or below
 * that of the request's location.
 *
 * A root of one's own that has no variables is a tree (files/tree.h), whose descriptor is kept. All others are known with the request
 * alone and are opened by their whole path (files/links.h). Threading: one finder for all workers. */
#ifndef FILES_FINDER_H
#define FILES_FINDER_H

#include "exchange/compile.h"
#include "exchange/document.h"
#include "files/links.h"

struct text_template;

struct finder_options {
    const struct node *origin;
    struct str root;              /* empty: the location's */
    int links;                    /* enum links */
    struct str links_from;        /* a template: what of the path is not looked at for links; empty: the root */
    bool hidden;
};

struct finder {
    enum links links;
    bool hidden;
    bool planted;                 /* `tree` is the root */
    struct tree tree;
    struct document_root own;     /* path NULL: the location's */
    const struct text_template *links_from;
};

/* Where one request's files are. */
struct spot {
    const struct document_root *root;
    struct str folder;            /* what the root is for this request */
    struct str below;             /* what is looked for in it: "" (the folder itself), "a", "a/b/"; NUL-terminated */
    struct str glue;              /* between the two */
    bool visiting;                /* of a site's request: what is looked for is its uri */
};

/* Reports into compile->diag; false after an error. */
bool finder_init(struct finder *finder, const struct finder_options *options, struct compile *compile);
void finder_release(struct finder *finder);

/* OK; FILE_NOT_FOUND: the path can name nothing here; FILE_ERROR: there is no root, or the path is none that it stands for. */
enum status finder_find(const struct finder *finder, struct exchange *x, struct spot *ret_spot);
/* `name`: as spot->below, NUL-terminated. Statuses are tree_open's. */
enum status finder_open(struct finder *finder, struct exchange *x, const struct spot *spot, struct str name,
                        struct tree_file *ret_file);
enum status finder_look(struct finder *finder, struct exchange *x, const struct spot *spot, struct str name, struct stat *ret_stat);
/* What stands behind the folder's name when `name` is written there ("/a/b"), in whichever root. */
enum status finder_look_behind(struct finder *finder, struct exchange *x, struct str name, struct stat *ret_stat);
/* The whole path, for messages and the links' rule. */
struct str finder_path(struct exchange *x, const struct spot *spot, struct str name);
/* Whether a folder's entry may be seen. */
bool finder_shows(const struct finder *finder, struct str part);

#endif
