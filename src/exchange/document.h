/* Which file a request stands for: the root of its location and the path below it. For services and middlewares that look for files,
 * and for $document_root, $realpath_root and $request_filename, which every place has, proxied ones too.
 *
 * Three kinds of roots, nginx's: a folder in which the whole path is looked for (root); one that stands for the beginning of the path
 * (alias); a text with captures that names the file itself (alias in a location with an expression).
 *
 * Paths lie in the exchange's arena and are NUL-terminated; data NULL: no memory. Worker's thread. */
#ifndef EXCHANGE_DOCUMENT_H
#define EXCHANGE_DOCUMENT_H

#include "exchange/exchange.h"

struct text_template;

struct document_root {
    const struct text_template *path;
    struct str constant;          /* the same without variables; data NULL: it has some */
    struct str stands_for;        /* the beginning of the path that it takes the place of; empty: none */
    bool is_file;
};

/* The request's path as files are looked for: decoded, dots resolved. data NULL: it cannot be decoded. */
struct str document_uri(struct exchange *x);
/* The folder (or the file) that the root is for this request; a view. */
struct str document_folder(struct exchange *x, const struct document_root *root);
/* What of `uri` is looked for in that folder: "/a/b", or "b" behind an alias, or nothing. False: the path was rewritten and does not
 * begin any more with what the root stands for. */
bool document_below(struct exchange *x, const struct document_root *root, struct str uri, struct str *ret_below);
/* folder and below as they are, joined. */
struct str document_join(struct exchange *x, struct str folder, struct str below);

#endif
