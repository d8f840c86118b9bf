/* files: a folder as a service. */
#include "files/site.h"

#include <unistd.h>

#include "http/token.h"
#include "http/uri.h"

/* ---- options ---- */

static const char *check_value(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return token_is_field_value(text) ? NULL : "is not the value of a header field";
}

static const char *check_index(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return text.len != 0 && str_find_char(text, '/', 0) < 0 ? NULL : "is not the name of a file";
}

static const char *check_spa(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    bool good = str_equal(text, S("true")) || str_equal(text, S("false")) || str_starts(text, S("/"));
    return good ? NULL : "is neither true nor false nor a path that begins with '/'";
}

static const char *check_coding(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    bool good = coding_find(text) != NULL || str_equal(text, S("true")) || str_equal(text, S("false"));
    return good ? NULL : "is none of br, zstd, gzip";
}

static const struct option options[] = {
    OPTION(STR, struct files, root, .required = true,
           .help = "The folder whose files are served; nothing outside it is, symbolic links included."),
    OPTION(STRS, struct files, index, .fallback = "index.html", .check = check_index,
           .help = "Names of the files that answer for a folder, the first that is there."),
    OPTION(STR, struct files, spa, .fallback = "false", .check = check_spa,
           .help = "A single-page application: unknown paths answer the root's index (true) or this file (\"/app.html\")."),
    OPTION(BOOL, struct files, browse, .help = "List folders without an index, as HTML or, where Accept asks for it, JSON."),
    OPTION(STRS, struct files, precompressed, .check = check_coding,
           .help = "Codings (br, zstd, gzip; true: all) whose sidecar files (.br, .zst, .gz) are sent to clients that take them."),
    OPTION(STRMAP, struct files, headers, .check = check_value, .help = "Further header fields of what is served."),
    OPTION_NAMED(DURATION, struct files, max_age, "maxAge", .min = 0, .max = INT64_MAX,
                 .help = "How long clients may keep files without asking again (Cache-Control: max-age); 0: nothing is said."),
    OPTION(BOOL, struct files, hidden, .help = "Serve names that begin with a dot. /.well-known always is."),
    OPTION_NAMED(BOOL, struct files, follow_symlinks, "followSymlinks", .fallback = "true",
                 .help = "Follow symbolic links that stay inside the root."),
};

static void validate(void *value, const struct node *node, struct diag *diag)
{
    const struct files *files = value;
    for (size_t i = 0; i < files->headers.count; i++)
        if (!token_is_valid(files->headers.items[i].name))
            diag_error(diag, node_span(node_get(node, S("headers"))), "'%.*s' is not the name of a header field",
                       STR_ARGS(files->headers.items[i].name));
}

static const struct option_table table =
    OPTION_TABLE(struct files, options, .validate = validate, .summary = "Serves the files of a folder.");

/* ---- compiling ---- */

static void add_coding(struct site *site, const struct coding *coding)
{
    for (unsigned i = 0; i < site->coding_count; i++)
        if (site->codings[i] == coding)
            return;
    site->codings[site->coding_count++] = coding;
}

static void compile_codings(struct site *site, const struct strs *names)
{
    static const struct str all[] = {STR("br"), STR("zstd"), STR("gzip")};
    for (size_t i = 0; i < names->count; i++) {
        const struct coding *coding = coding_find(names->items[i]);
        if (coding != NULL)
            add_coding(site, coding);
        else if (str_equal(names->items[i], S("true")))
            for (unsigned j = 0; j < CODINGS_MAX; j++)
                add_coding(site, coding_find(all[j]));
    }
}

static bool compile_spa(struct site *site, struct compile *compile)
{
    const struct files *files = site->options;
    if (str_equal(files->spa, S("false")) || files->spa.len == 0)
        return true;
    struct str path = files->spa;
    if (str_equal(path, S("true")))
        path = arena_concat(compile->arena, S("/"), files->index.count != 0 ? files->index.items[0] : S("index.html"));
    if (tree_name(&site->tree, compile->arena, path, &site->spa_name) == STATUS_OK)
        return true;
    diag_error(compile->diag, node_span(node_get(files->origin, S("spa"))), "'%.*s' is not a path that can be served",
               STR_ARGS(path));
    return false;
}

/* A folder that is not there yet may be mounted later: no reason to refuse the configuration. */
static void warn_about_root(const struct site *site, struct compile *compile)
{
    struct stat stat_root;
    struct span span = node_span(node_get(site->options->origin, S("root")));
    if (stat(site->tree.path, &stat_root) != 0)
        diag_warning(compile->diag, span, "the folder '%s' cannot be looked at: %m", site->tree.path);
    else if (!S_ISDIR(stat_root.st_mode))
        diag_warning(compile->diag, span, "'%s' is not a folder", site->tree.path);
}

static bool compile_site(struct service *service, struct compile *compile)
{
    struct site *site = service->state;
    const struct files *files = site->options = service->options;
    tree_init(&site->tree, compile->arena, files->root, compile->workers);
    site->tree.hidden = files->hidden;
    site->tree.follow = files->follow_symlinks;
    site->types = compile_shared(compile, S("files/mime"), sizeof(struct mime_types), mime_init, mime_release);
    if (files->max_age != 0)
        site->cache_control = arena_printf(compile->arena, "max-age=%lld", (long long)(files->max_age / TIME_S));
    compile_codings(site, &files->precompressed);
    warn_about_root(site, compile);
    return compile_spa(site, compile);
}

static void destroy_site(struct service *service)
{
    struct site *site = service->state;
    tree_release(&site->tree);
}

/* ---- serving ---- */

static void refuse(struct exchange *x, enum status status)
{
    exchange_answer_status(x, status_http(status), status);
}

/* Nothing has that name: the application's own paths are answered by its index. */
static void answer_unknown(struct exchange *x, struct site *site)
{
    struct tree_file file;
    if (site->spa_name.len == 0 || tree_open(&site->tree, x->worker, site->spa_name.data, &file) != STATUS_OK) {
        refuse(x, STATUS_FILE_NOT_FOUND);
    } else if (S_ISREG(file.stat.st_mode)) {
        answer_file(x, site, site->spa_name, &file, true);
    } else {
        close(file.fd);
        refuse(x, STATUS_FILE_NOT_FOUND);
    }
}

/* An application's index names files by their hashes: were it kept, a new version would not be seen. */
static bool is_spa_index(const struct site *site, struct str name)
{
    return site->spa_name.len != 0 && str_equal(name, site->spa_name);
}

/* The first index that is there. */
static bool answer_index(struct exchange *x, struct site *site, struct str folder)
{
    const struct strs *index = &site->options->index;
    for (size_t i = 0; i < index->count; i++) {
        struct str prefix = str_equal(folder, S(".")) ? STR_NONE : folder;
        struct str name = arena_concat(&x->arena, prefix, index->items[i]);
        struct tree_file file;
        if (name.data == NULL || tree_open(&site->tree, x->worker, name.data, &file) != STATUS_OK)
            continue;
        if (S_ISREG(file.stat.st_mode)) {
            answer_file(x, site, name, &file, is_spa_index(site, name));
            return true;
        }
        close(file.fd);
    }
    return false;
}

static void answer_folder(struct exchange *x, struct site *site, struct str name)
{
    if (answer_index(x, site, name))
        return;
    struct tree_file file;
    enum status status = tree_open(&site->tree, x->worker, name.data, &file);
    if (status != STATUS_OK && status != STATUS_FILE_NOT_FOUND) {
        refuse(x, status);
    } else if (status == STATUS_OK && site->options->browse) {
        listing_answer(x, site, name, file.fd);
    } else {
        if (status == STATUS_OK)
            close(file.fd);
        answer_unknown(x, site);
    }
}

/* To the same path with a slash, so that relative links on the page lead into the folder. The target is relative: it is right
 * also when a middleware took a prefix off, and cannot lead to another host. */
static void redirect_to_folder(struct exchange *x, const struct site *site)
{
    const struct request *request = exchange_request(x);
    struct str last = str_from_index(x->original_path, (size_t)(str_find_last_char(x->original_path, '/') + 1));
    struct str location = arena_printf(&x->arena, "./%.*s/%s%.*s", STR_ARGS(last), request->query.data != NULL ? "?" : "",
                                       STR_ARGS(request->query));
    exchange_answer(x, 301, STATUS_OK, S("text/plain; charset=utf-8"), S("301 Moved Permanently\n"));
    fields_add_id(&x->response.fields, FIELD_LOCATION, location);
    answer_add_fields(x, site, false);
}

static void answer_path(struct exchange *x, struct site *site, struct str name)
{
    struct tree_file file;
    enum status status = tree_open(&site->tree, x->worker, name.data, &file);
    if (status == STATUS_FILE_NOT_FOUND) {
        answer_unknown(x, site);
    } else if (status != STATUS_OK) {
        refuse(x, status);
    } else if (S_ISREG(file.stat.st_mode)) {
        answer_file(x, site, name, &file, is_spa_index(site, name));
    } else {
        close(file.fd);
        struct str folder = arena_concat(&x->arena, name, S("/"));
        if (x->detour || str_ends(x->original_path, S("/")))
            answer_folder(x, site, folder);
        else
            redirect_to_folder(x, site);
    }
}

static enum pick_result pick(struct exchange *x, struct service *service)
{
    struct site *site = service->state;
    const struct request *request = exchange_request(x);
    struct str name;
    if (request->method != METHOD_GET && request->method != METHOD_HEAD) {
        refuse(x, STATUS_FILE_METHOD);
        fields_add(&x->response.fields, S("Allow"), S("GET, HEAD"));
        return PICK_ANSWER;
    }
    enum status status = tree_name(&site->tree, &x->arena, request->path, &name);
    if (status != STATUS_OK)
        refuse(x, status);
    else if (str_equal(name, S(".")) || str_ends(name, S("/")))
        answer_folder(x, site, name);
    else
        answer_path(x, site, name);
    return PICK_ANSWER;
}

static const struct service_type files_type = {
    .choice = {.name = "files", .summary = "Serves the files of a folder.", .table = &table},
    .state_size = sizeof(struct site),
    .compile = compile_site,
    .destroy = destroy_site,
    .pick = pick,
};
REGISTER(service_type, files_type);
