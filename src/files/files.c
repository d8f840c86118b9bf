/* files: a folder as a service. */
#include "files/site.h"

#include <unistd.h>

#include "exchange/location_answer.h"
#include "exchange/text_template.h"
#include "exchange/visit.h"
#include "http/token.h"

/* ---- options ---- */

static const char *check_value(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return token_is_field_value(text) ? NULL : "is not the value of a header field";
}

static const char *check_index(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return text.len != 0 ? NULL : "is not the name of a file";
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

static const struct option_name links_names[] = {
    {"inside", LINKS_INSIDE}, {"anywhere", LINKS_ANYWHERE}, {"owned", LINKS_OWNED}, {"none", LINKS_NONE}, {NULL, 0}};
static const struct option_name etag_names[] = {{"precise", ETAG_PRECISE}, {"short", ETAG_SHORT}, {"off", ETAG_OFF}, {NULL, 0}};
static const struct option_name browse_names[] = {
    {"auto", BROWSE_AUTO}, {"html", BROWSE_HTML}, {"json", BROWSE_JSON}, {"xml", BROWSE_XML}, {"jsonp", BROWSE_JSONP}, {NULL, 0}};

static const struct option options[] = {
    OPTION(STR, struct files, root,
           .help = "The folder whose files are served; may have variables. None: the root of the router's location."),
    OPTION(STRS, struct files, index, .fallback = "index.html", .check = check_index,
           .help = "Names of the files that answer for a folder, the first that is there; may have variables. In a site a path "
                   "(\"/index.html\") leads to the location that has it."),
    OPTION(STR, struct files, spa, .fallback = "false", .check = check_spa,
           .help = "A single-page application: unknown paths answer the root's index (true) or this file (\"/app.html\")."),
    OPTION(BOOL, struct files, browse, .help = "List folders without an index, as HTML or, where Accept asks for it, JSON."),
    OPTION_NAMED(ENUM, struct files, browse_format, "browseFormat", .names = browse_names, .fallback = "auto",
                 .help = "The form of such lists: auto, or one of nginx's autoindex."),
    OPTION_NAMED(BOOL, struct files, browse_exact_size, "browseExactSize", .fallback = "true",
                 .help = "In html: sizes in bytes, not rounded to K, M and G."),
    OPTION_NAMED(BOOL, struct files, browse_local_time, "browseLocalTime", .help = "In html: times of this machine's zone, not UTC."),
    OPTION_NAMED(BOOL, struct files, browse_utf8, "browseUtf8", .help = "In html: names are UTF-8, and columns count characters."),
    OPTION(STRS, struct files, precompressed, .check = check_coding,
           .help = "Codings (br, zstd, gzip; true: all) whose sidecar files (.br, .zst, .gz) are sent to clients that take them."),
    OPTION_NAMED(BOOL, struct files, precompressed_always, "precompressedAlways",
                 .help = "Sidecar files are sent whatever the client takes."),
    OPTION_NAMED(BOOL, struct files, precompressed_vary, "precompressedVary", .fallback = "true",
                 .help = "Responses say \"Vary: Accept-Encoding\" where sidecars are looked for."),
    OPTION_NAMED(BOOL, struct files, precompressed_direct, "precompressedDirect",
                 .help = "No sidecars for HTTP/1.0 and for requests that came through a proxy (Via)."),
    OPTION(STRMAP, struct files, headers, .check = check_value, .help = "Further header fields of what is served."),
    OPTION_NAMED(DURATION, struct files, max_age, "maxAge", .min = 0, .max = INT64_MAX,
                 .help = "How long clients may keep files without asking again (Cache-Control: max-age); 0: nothing is said."),
    OPTION(ENUM, struct files, etag, .names = etag_names, .fallback = "precise",
           .help = "ETag: of the time in nanoseconds, size and inode (precise), of seconds and size as nginx has it (short), or off."),
    OPTION_NAMED(STR, struct files, media_types, "mediaTypes",
                 .help = "The media types (http.mediaTypes) of the files; none: the location's, else the system's."),
    OPTION(BOOL, struct files, conditions, .fallback = "true",
           .help = "Answer If-... and Range here; off where the middlewares conditional and range do."),
    OPTION_NAMED(BOOL, struct files, log_missing, "logMissing", .fallback = "true",
                 .help = "Files that are not there are told in the router's error log."),
    OPTION(BOOL, struct files, hidden, .help = "Serve names that begin with a dot. /.well-known always is."),
    OPTION_NAMED(BOOL, struct files, follow_symlinks, "followSymlinks", .fallback = "true",
                 .help = "Follow symbolic links that stay inside the root."),
    OPTION_NAMED(ENUM, struct files, links, "symlinks", .names = links_names, .fallback = "inside",
                 .help = "Which symbolic links are followed: those that stay inside the root, those that lead anywhere, those that "
                         "belong to whom their target belongs to, or none."),
    OPTION_NAMED(STR, struct files, links_from, "symlinksFrom",
                 .help = "With owned and none: links in this part of the path may be anything; a template. None: in the root."),
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

static void add_coding(struct file_site *site, const struct coding *coding)
{
    for (unsigned i = 0; i < site->coding_count; i++)
        if (site->codings[i] == coding)
            return;
    site->codings[site->coding_count++] = coding;
}

static void compile_codings(struct file_site *site, const struct strs *names)
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

static bool compile_spa(struct file_site *site, struct compile *compile)
{
    const struct files *files = site->options;
    if (str_equal(files->spa, S("false")) || files->spa.len == 0)
        return true;
    struct str path = files->spa;
    if (str_equal(path, S("true")))
        path = arena_concat(compile->arena, S("/"), files->index.count != 0 ? files->index.items[0] : S("index.html"));
    if (tree_name(&site->finder.tree, compile->arena, path, &site->spa_name) == STATUS_OK)
        return true;
    diag_error(compile->diag, node_span(node_get(files->origin, S("spa"))), "'%.*s' is not a path that can be served",
               STR_ARGS(path));
    return false;
}

/* A folder that is not there yet may be mounted later: no reason to refuse the configuration. */
static void warn_about_root(const struct file_site *site, struct compile *compile)
{
    struct stat stat_root;
    struct span span = node_span(node_get(site->options->origin, S("root")));
    const char *path = site->finder.tree.path;
    if (site->finder.own.constant.data == NULL)
        return;
    if (stat(path, &stat_root) != 0)
        diag_warning(compile->diag, span, "the folder '%s' cannot be looked at: %m", path);
    else if (!S_ISDIR(stat_root.st_mode))
        diag_warning(compile->diag, span, "'%s' is not a folder", path);
}

static bool compile_index(struct file_site *site, struct compile *compile)
{
    const struct strs *names = &site->options->index;
    struct span span = node_span(node_get(site->options->origin, S("index")));
    bool good = true;
    site->index = arena_array(compile->arena, const struct text_template *, names->count + 1);
    for (size_t i = 0; i < names->count; i++) {
        site->index[i] = text_template_new(names->items[i], compile, span);
        good = good && site->index[i] != NULL;
    }
    return good;
}

static bool compile_types(struct file_site *site, struct compile *compile)
{
    struct str name = site->options->media_types;
    site->system_types = compile_shared(compile, S("files/mime"), sizeof(struct mime_types), mime_init, mime_release);
    if (name.len == 0)
        return true;
    site->types = compile_media_types(compile, name, node_span(node_get(site->options->origin, S("mediaTypes"))));
    return site->types != NULL;
}

static bool compile_site(struct service *service, struct compile *compile)
{
    struct file_site *site = service->state;
    const struct files *files = site->options = service->options;
    struct finder_options finder = {.origin = files->origin,
                                    .root = files->root,
                                    .links = files->links,
                                    .links_from = files->links_from,
                                    .hidden = files->hidden};
    if (!files->follow_symlinks && files->links == LINKS_INSIDE)
        finder.links = LINKS_NONE;
    if (!finder_init(&site->finder, &finder, compile) || !compile_types(site, compile) || !compile_index(site, compile))
        return false;
    if (files->max_age != 0)
        site->cache_control = arena_printf(compile->arena, "max-age=%lld", (long long)(files->max_age / TIME_S));
    compile_codings(site, &files->precompressed);
    warn_about_root(site, compile);
    return compile_spa(site, compile);
}

static void destroy_site(struct service *service)
{
    struct file_site *site = service->state;
    finder_release(&site->finder);
}

/* ---- serving ---- */

/* To the same path with a slash, so that relative links on the page lead into the folder. The target is relative: it is right
 * also when a middleware took a prefix off, and cannot lead to another host. */
static struct str relative_target(struct exchange *x)
{
    const struct request *request = exchange_request(x);
    struct str last = str_from_index(x->original_path, (size_t)(str_find_last_char(x->original_path, '/') + 1));
    return arena_printf(&x->arena, "./%.*s/%s%.*s", STR_ARGS(last), request->query.data != NULL ? "?" : "", STR_ARGS(request->query));
}

static void redirect_to_folder(struct exchange *x, const struct file_site *site, const struct spot *spot)
{
    const struct request *request = exchange_request(x);
    if (spot->visiting) {
        struct str path = visit_escape_uri(x, x->visit->uri);
        exchange_answer_location(x, 301, arena_printf(&x->arena, "%.*s/%s%.*s", STR_ARGS(path), request->query.len != 0 ? "?" : "",
                                                      STR_ARGS(request->query)));
    } else {
        exchange_answer(x, 301, STATUS_OK, S("text/plain; charset=utf-8"), S("301 Moved Permanently\n"));
        fields_add_id(&x->response.fields, FIELD_LOCATION, relative_target(x));
    }
    answer_add_fields(x, site, false);
}

static enum pick_result answer_path(struct exchange *x, struct file_site *site, const struct spot *spot, struct str name)
{
    struct tree_file file;
    enum status status = finder_open(&site->finder, x, spot, name, &file);
    if (status == STATUS_FILE_NOT_FOUND) {
        file.fd = -1;
        if (site->coding_count == 0 || !answer_file(x, site, spot, name, &file, false))
            answer_unknown(x, site, spot, name);
    } else if (status != STATUS_OK) {
        answer_missing(x, site, spot, name, status);
    } else if (S_ISREG(file.stat.st_mode)) {
        answer_file(x, site, spot, name, &file, answer_is_fresh(site, name));
    } else {
        close(file.fd);
        if (spot->visiting || (!x->detour && !str_ends(x->original_path, S("/"))))
            redirect_to_folder(x, site, spot);
        else
            return folder_answer(x, site, spot, arena_concat(&x->arena, name, S("/")));
    }
    return PICK_ANSWER;
}

/* A site's POST is refused only where there is a file: a folder's is redirected, as with nginx. */
static bool is_method_refused(const struct exchange *x)
{
    enum method method = x->stream.request.method;
    bool visiting = x->visit != NULL && x->visit->site != NULL && !x->detour;
    return method != METHOD_GET && method != METHOD_HEAD && !(visiting && method == METHOD_POST);
}

static enum pick_result pick(struct exchange *x, struct service *service)
{
    struct file_site *site = service->state;
    struct spot spot;
    if (is_method_refused(x)) {
        answer_refusal(x, STATUS_FILE_METHOD);
        return PICK_ANSWER;
    }
    enum status status = finder_find(&site->finder, x, &spot);
    if (status != STATUS_OK) {
        answer_refusal(x, status);
        return PICK_ANSWER;
    }
    bool folder = spot.visiting ? str_ends(x->visit->uri, S("/")) : spot.below.len == 0 || str_ends(spot.below, S("/"));
    return folder ? folder_answer(x, site, &spot, spot.below) : answer_path(x, site, &spot, spot.below);
}

static const struct service_type files_type = {
    .choice = {.name = "files", .summary = "Serves the files of a folder.", .table = &table},
    .state_size = sizeof(struct file_site),
    .compile = compile_site,
    .destroy = destroy_site,
    .pick = pick,
};
REGISTER(service_type, files_type);
