/* Files: what answers where no other directive gives the content, and what is done with its responses. The service is shared by all
 * places with the same directives, for where the files lie is a matter of the place. */
#include "config/nginx/static.h"

static const struct nginx_syntax rows[] = {
    {"index", NGINX_EVERYWHERE, .min = 1, .max = NGINX_MANY, .repeats = true, .help = "What answers for a folder, the first that is there."},
    {"autoindex", NGINX_EVERYWHERE, .min = 1, .max = 1, .flag = true, .help = "List folders without an index."},
    {"autoindex_format", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "html, xml, json or jsonp."},
    {"autoindex_exact_size", NGINX_EVERYWHERE, .min = 1, .max = 1, .flag = true, .help = "Sizes in bytes."},
    {"autoindex_localtime", NGINX_EVERYWHERE, .min = 1, .max = 1, .flag = true, .help = "Times of this machine's zone."},
    {"etag", NGINX_EVERYWHERE, .min = 1, .max = 1, .flag = true, .help = "ETag of files."},
    {"if_modified_since", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "exact, before or off."},
    {"max_ranges", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "Ranges that one request may ask for; 0: none."},
    {"gzip_static", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "on, off or always: files that are there with .gz."},
    {"brotli_static", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "on, off or always: files that are there with .br."},
    {"zstd_static", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "on, off or always: files that are there with .zst."},
    {"gunzip", NGINX_EVERYWHERE, .min = 1, .max = 1, .flag = true, .help = "Unpack gzip for clients that do not take it."},
    {"gunzip_buffers", NGINX_EVERYWHERE, .min = 2, .max = 2, .noted = "buffers are the worker's"},
    {"disable_symlinks", NGINX_EVERYWHERE, .min = 1, .max = 2, .help = "off, on or if_not_owner, and from=PART."},
    {"log_not_found", NGINX_EVERYWHERE, .min = 1, .max = 1, .flag = true, .help = "Tell the error log of files that are not there."},
    {"empty_gif", NGINX_LOCATION, .max = 0, .help = "A transparent image of one pixel."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

/* One of several words, the first where nobody says. */
static struct str word_of(struct nginx_place *place, const char *name, const char *const *words)
{
    const struct nginx_directive *directive = nginx_find(place->scope, name);
    for (size_t i = 0; words[i] != NULL; i++)
        if (directive == NULL || str_equal(directive->words[0].text, str_from(words[i])))
            return str_from(words[i]);
    nginx_invalid(place->compile, directive, &directive->words[0]);
    return str_from(words[0]);
}

/* ---- the service ---- */

static void put_index(struct nginx_place *place, struct node *options)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *index = nginx_all(place->scope, "index");
    if (index == NULL)
        return;
    struct node *list = nginx_put_list(compile, options, "index", index->span);
    for (; index != NULL; index = nginx_same(index))
        for (size_t i = 0; i < index->count; i++) {
            const struct nginx_word *word = &index->words[i];
            if (word->text.len == 0)
                diag_error(compile->diag, word->span, "index \"\" in \"index\" directive is invalid");
            nginx_add_text(compile, list, nginx_template(compile, word), word->span);
        }
}

static void put_autoindex(struct nginx_place *place, struct node *options)
{
    static const char *const formats[] = {"html", "json", "jsonp", "xml", NULL};
    struct nginx_compile *compile = place->compile;
    if (!nginx_flag(place->scope, "autoindex", false))
        return;
    struct span span = nginx_find(place->scope, "autoindex")->span;
    const struct nginx_directive *charset = nginx_find(place->scope, "charset");
    nginx_put_flag(compile, options, "browse", true, span);
    nginx_put(compile, options, "browseFormat", word_of(place, "autoindex_format", formats), span);
    nginx_put_flag(compile, options, "browseExactSize", nginx_flag(place->scope, "autoindex_exact_size", true), span);
    nginx_put_flag(compile, options, "browseLocalTime", nginx_flag(place->scope, "autoindex_localtime", false), span);
    if (charset != NULL && str_equal_nocase(charset->words[0].text, S("utf-8")))
        nginx_put_flag(compile, options, "browseUtf8", true, span);
}

/* Sidecars, as nginx's gzip_static; the better codings first. */
static void put_sidecars(struct nginx_place *place, struct node *options)
{
    static const char *const words[] = {"off", "on", "always", NULL};
    static const struct {
        const char *directive, *coding;
    } codings[] = {{"zstd_static", "zstd"}, {"brotli_static", "br"}, {"gzip_static", "gzip"}};
    struct nginx_compile *compile = place->compile;
    struct node *list = NULL;
    bool always = false;
    for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
        struct str word = word_of(place, codings[i].directive, words);
        if (str_equal(word, S("off")))
            continue;
        if (list == NULL)
            list = nginx_put_list(compile, options, "precompressed", options->span);
        nginx_add_text(compile, list, str_from(codings[i].coding), options->span);
        always = always || str_equal(word, S("always"));
    }
    if (list == NULL)
        return;
    nginx_put_flag(compile, options, "precompressedVary", nginx_flag(place->scope, "gzip_vary", false), options->span);
    nginx_put_flag(compile, options, "precompressedDirect", nginx_static_direct(place), options->span);
    if (always)
        nginx_put_flag(compile, options, "precompressedAlways", true, options->span);
}

static void make_service(struct nginx_place *place, struct str name)
{
    struct nginx_compile *compile = place->compile;
    struct span span = place->block->span;
    struct node *object = nginx_put_map_named(compile, nginx_section(compile, "http.services"), name, span);
    struct node *options = nginx_put_map(compile, object, "files", span);
    put_index(place, options);
    put_autoindex(place, options);
    put_sidecars(place, options);
    nginx_put(compile, options, "etag", nginx_flag(place->scope, "etag", true) ? S("short") : S("off"), span);
    nginx_put_flag(compile, options, "conditions", false, span);
    nginx_put_flag(compile, options, "hidden", true, span);
    if (!nginx_flag(place->scope, "log_not_found", true))
        nginx_put_flag(compile, options, "logMissing", false, span);
    nginx_static_links(place, options);
}

void nginx_files_content(struct nginx_place *place)
{
    static const char *const names[] = {"index", "autoindex", "autoindex_format", "autoindex_exact_size", "autoindex_localtime",
                                        "charset", "etag", "gzip_static", "brotli_static", "zstd_static", "gzip_vary",
                                        "gzip_proxied", "disable_symlinks", "log_not_found", NULL};
    struct nginx_compile *compile = place->compile;
    struct str key = nginx_static_key(place, "files", names);
    struct str *name = map_get(&compile->zones, key);
    if (name == NULL) {
        name = arena_new(compile->arena, struct str);
        *name = nginx_unique(compile, "services", S("files"));
        map_put(&compile->zones, key, name);
        make_service(place, *name);
    }
    nginx_put(compile, place->router, "service", *name, place->block->span);
}

/* ---- conditions and ranges ---- */

static bool is_proxied(const struct nginx_place *place)
{
    for (; place != NULL; place = place->kind == NGINX_PLACE_IF || place->kind == NGINX_PLACE_LIMIT_EXCEPT ? place->outer : NULL)
        if (nginx_here(place->scope, "proxy_pass") != NULL || nginx_here(place->scope, "grpc_pass") != NULL)
            return true;
    return false;
}

static void put_conditional(struct nginx_place *place)
{
    static const char *const names[] = {"if_modified_since", NULL};
    static const char *const words[] = {"exact", "before", "off", NULL};
    struct node *options = nginx_shared_middleware(place, NGINX_CHAIN_CONDITIONAL, "conditional",
                                                   nginx_static_key(place, "conditional", names), place->block->span);
    if (options != NULL)
        nginx_put(place->compile, options, "ifModifiedSince", word_of(place, "if_modified_since", words), place->block->span);
}

static void put_range(struct nginx_place *place)
{
    static const char *const names[] = {"max_ranges", NULL};
    const struct nginx_directive *max = nginx_find(place->scope, "max_ranges");
    struct node *options = nginx_shared_middleware(place, NGINX_CHAIN_RANGE, "range", nginx_static_key(place, "range", names),
                                                   place->block->span);
    uint64_t count = 0;
    if (options == NULL || max == NULL)
        return;
    if (!str_to_u64(max->words[0].text, &count) || count > 1000000)
        nginx_invalid(place->compile, max, &max->words[0]);
    else
        nginx_put_number(place->compile, options, "maxRanges", (int64_t)count, max->span);
}

static void put_filters(struct nginx_place *place)
{
    if (is_proxied(place))
        return;
    put_conditional(place);
    put_range(place);
}

static const struct nginx_part part = {.name = "files", .place = put_filters};
REGISTER(nginx_part, part);

/* ---- empty_gif ---- */

static void put_empty_gif(struct nginx_place *place, const struct nginx_directive *directive)
{
    nginx_service(place, "emptyGif", directive->span);
}

static const struct nginx_part gif_part = {.name = "empty_gif", .content_directive = "empty_gif", .content = put_empty_gif};
REGISTER(nginx_part, gif_part);
