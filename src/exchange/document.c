#include "exchange/document.h"

#include <limits.h>
#include <stdlib.h>

#include "exchange/graph.h"
#include "exchange/text_template.h"
#include "exchange/variable.h"
#include "exchange/visit.h"
#include "http/uri.h"

struct str document_uri(struct exchange *x)
{
    struct str uri;
    if (x->visit != NULL && x->visit->site != NULL)
        return x->visit->uri;
    return uri_decode(&x->arena, exchange_request(x)->path, &uri) ? uri : STR_NONE;
}

struct str document_folder(struct exchange *x, const struct document_root *root)
{
    return root->constant.data != NULL ? root->constant : text_template_text(root->path, x);
}

bool document_below(struct exchange *x, const struct document_root *root, struct str uri, struct str *ret_below)
{
    *ret_below = uri;
    if (root->is_file && (x->visit == NULL || !x->visit->uri_below_root))
        *ret_below = STR_NONE;
    else if (!root->is_file && root->stands_for.len != 0)
        *ret_below = str_from_index(uri, root->stands_for.len);
    return root->is_file || str_starts(uri, root->stands_for);
}

struct str document_join(struct exchange *x, struct str folder, struct str below)
{
    char *text = arena_alloc(&x->arena, folder.len + below.len + 1);
    if (text == NULL)
        return STR_NONE;
    char *end = mempcpy(mempcpy(text, folder.data != NULL ? folder.data : "", folder.len),
                        below.data != NULL ? below.data : "", below.len);
    *end = '\0';
    return str_of(text, (size_t)(end - text));
}

/* ---- variables ---- */

static const struct document_root *root_of(const struct exchange *x)
{
    return x->router != NULL ? x->router->extras->root : NULL;
}

static struct str get_document_root(struct exchange *x, struct str argument)
{
    return root_of(x) != NULL ? document_folder(x, root_of(x)) : STR_NONE;
}

static struct str get_realpath_root(struct exchange *x, struct str argument)
{
    struct str folder = get_document_root(x, STR_NONE);
    char resolved[PATH_MAX];
    struct str path = folder.len != 0 ? document_join(x, folder, STR_NONE) : STR_NONE;
    if (path.data == NULL || realpath(path.data, resolved) == NULL)
        return STR_NONE;
    return arena_str(&x->arena, str_from(resolved));
}

static struct str get_request_filename(struct exchange *x, struct str argument)
{
    struct str below, uri = document_uri(x);
    const struct document_root *root = root_of(x);
    if (root == NULL || uri.data == NULL || !document_below(x, root, uri, &below))
        return STR_NONE;
    return document_join(x, document_folder(x, root), below);
}

static const struct variable_type document_root = {.name = "document_root",
                                                   .alias = "document.root",
                                                   .help = "The folder that the location's files lie in.",
                                                   .is_volatile = true,
                                                   .get = get_document_root};
REGISTER(variable_type, document_root);

static const struct variable_type realpath_root = {.name = "realpath_root",
                                                   .alias = "document.realpath",
                                                   .help = "The same with its symbolic links resolved.",
                                                   .is_volatile = true,
                                                   .get = get_realpath_root};
REGISTER(variable_type, realpath_root);

static const struct variable_type request_filename = {.name = "request_filename",
                                                      .alias = "document.file",
                                                      .help = "The path of the file that the request stands for.",
                                                      .is_volatile = true,
                                                      .get = get_request_filename};
REGISTER(variable_type, request_filename);
