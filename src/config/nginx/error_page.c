/* error_page and what the proxy's own answers look like: `errorPages` in each place that has any; entrypoints answer in the
 * classic form; server_tokens says what stands in Server. */
#include "base/version.h"
#include "config/nginx/compile.h"

#define LEVELS (NGINX_EVERYWHERE | NGINX_LOCATION_IF)

static const struct nginx_syntax rows[] = {
    {"error_page", LEVELS, .min = 2, .max = NGINX_MANY, .repeats = true, .help = "What takes the place of errors: codes, [=[response]], and where to."},
    {"recursive_error_pages", NGINX_EVERYWHERE, .min = 1, .max = 1, .flag = true, .help = "Errors of error pages get error pages too."},
    {"server_tokens", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "Server with the version (on, build), without (off), or a text."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

/* ---- error_page ---- */

static bool is_code(struct nginx_compile *compile, const struct nginx_word *word)
{
    uint64_t code;
    if (!str_to_u64(word->text, &code) || code == 499) {
        diag_error(compile->diag, word->span, "invalid value \"%.*s\"", STR_ARGS(word->text));
        return false;
    }
    if (code >= 300 && code <= 599)
        return true;
    diag_error(compile->diag, word->span, "value \"%.*s\" must be between 300 and 599", STR_ARGS(word->text));
    return false;
}

/* "=" lets the page's own status stand, "=200" says which. */
static void put_response(struct nginx_compile *compile, struct node *page, const struct nginx_word *word)
{
    struct str text = str_from_index(word->text, 1);
    uint64_t code;
    if (text.len == 0 || str_equal(text, S("0")))
        nginx_put(compile, page, "response", S("page"), word->span);
    else if (str_to_u64(text, &code) && code >= 200 && code <= 599)
        nginx_put(compile, page, "response", text, word->span);
    else
        diag_error(compile->diag, word->span, "invalid value \"%.*s\"", STR_ARGS(word->text));
}

static void add_page(struct nginx_compile *compile, struct node *pages, const struct nginx_directive *directive)
{
    const struct nginx_word *words = directive->words, *to = &words[directive->count - 1];
    bool changes = str_starts(words[directive->count - 2].text, S("="));
    size_t codes = directive->count - (changes ? 2 : 1);
    struct node *page = nginx_add_map(compile, pages, directive->span);
    struct node *list = nginx_put_list(compile, page, "status", directive->span);
    if (codes == 0)
        diag_error(compile->diag, words[0].span, "invalid value \"%.*s\"", STR_ARGS(words[0].text));
    for (size_t i = 0; i < codes; i++)
        if (is_code(compile, &words[i]))
            nginx_add_text(compile, list, words[i].text, words[i].span);
    if (changes)
        put_response(compile, page, &words[codes]);
    nginx_put(compile, page, "to", nginx_template(compile, to), to->span);
}

static void place_pages(struct nginx_place *place)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *directive = nginx_all(place->scope, "error_page");
    if (directive == NULL)
        return;
    struct node *options = nginx_middleware(place, NGINX_CHAIN_ERROR_PAGES, "errorPages", directive->span);
    struct node *pages = nginx_put_list(compile, options, "pages", directive->span);
    for (; directive != NULL; directive = nginx_same(directive))
        add_page(compile, pages, directive);
    if (nginx_flag(place->scope, "recursive_error_pages", false))
        nginx_put_flag(compile, options, "recursive", true, options->span);
    if (nginx_flag(place->scope, "proxy_intercept_errors", false) || nginx_flag(place->scope, "grpc_intercept_errors", false))
        nginx_put_flag(compile, options, "intercept", true, options->span);
}

/* ---- Server ---- */

/* Where nobody says: as "on". */
static struct str server_text(const struct nginx_directive *directive)
{
    struct str text = directive != NULL ? directive->words[0].text : S("on");
    if (str_equal(text, S("on")) || str_equal(text, S("build")))
        return S("portico/" PORTICO_VERSION);
    return str_equal(text, S("off")) ? S("portico") : text;
}

static struct span span_of(const struct nginx_directive *directive, struct span fallback)
{
    return directive != NULL ? directive->span : fallback;
}

static void place_server(struct nginx_place *place)
{
    const struct nginx_directive *here = nginx_find(place->scope, "server_tokens");
    const struct nginx_directive *http = nginx_find(place->compile->http, "server_tokens");
    if (!str_equal(server_text(here), server_text(http)))
        nginx_put(place->compile, place->router, "serverHeader", server_text(here), span_of(here, place->block->span));
}

/* For requests that never get to a place; a place says what differs. */
static void server_entries(struct nginx_server *server)
{
    struct nginx_compile *compile = server->compile;
    const struct nginx_directive *tokens = nginx_find(compile->http, "server_tokens");
    struct node *entries = nginx_section(compile, "entryPoints");
    NODE_FOREACH(node_get(server->site, S("entryPoints")), name) {
        struct node *entry = nginx_put_map_named(compile, entries, name->text, server->block->span);
        struct node *http = nginx_put_map(compile, entry, "http", server->block->span);
        if (node_get(http, S("errorPages")) != NULL)
            continue;
        nginx_put(compile, http, "errorPages", S("classic"), server->block->span);
        nginx_put(compile, http, "serverHeader", server_text(tokens), span_of(tokens, server->block->span));
    }
}

static void place_all(struct nginx_place *place)
{
    place_pages(place);
    place_server(place);
}

static const struct nginx_part part = {.name = "error_page", .server = server_entries, .place = place_all};
REGISTER(nginx_part, part);
