/* valid_referers: what makes $invalid_referer. It is told before the script that asks for it: that of the server, or of the location. */
#include "config/nginx/compile.h"

static const struct nginx_syntax rows[] = {
    {"valid_referers", NGINX_SERVER | NGINX_LOCATION, .min = 1, .max = NGINX_MANY, .repeats = true,
     .help = "Referers that leave $invalid_referer empty: none, blocked, server_names, names with paths, regular expressions."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

/* Names of the server go to where they are looked at alike: its expressions are for the host alone. */
static void add_server_names(struct nginx_compile *compile, const struct nginx_server *server, struct node *options, bool regexes)
{
    for (const struct nginx_directive *it = nginx_here(server->scope, "server_name"); it != NULL; it = nginx_same(it))
        for (size_t i = 0; i < it->count; i++) {
            const struct nginx_word *word = &it->words[i];
            bool regex = str_starts(word->text, S("~"));
            if (word->text.len != 0 && regex == regexes)
                nginx_add_text(compile, nginx_put_list(compile, options, regex ? "hosts" : "referers", word->span), word->text,
                               word->span);
        }
}

static void put_word(struct nginx_compile *compile, const struct nginx_server *server, struct node *options,
                     const struct nginx_word *word)
{
    if (word->text.len == 0) {
        diag_error(compile->diag, word->span, "invalid referer \"\"");
    } else if (str_equal(word->text, S("none")) || str_equal(word->text, S("blocked"))) {
        nginx_put_flag(compile, options, str_equal(word->text, S("none")) ? "none" : "blocked", true, word->span);
    } else if (str_equal(word->text, S("server_names"))) {
        add_server_names(compile, server, options, true);
        add_server_names(compile, server, options, false);
    } else {
        nginx_add_text(compile, nginx_put_list(compile, options, "referers", word->span), word->text, word->span);
    }
}

static void put_options(struct nginx_compile *compile, const struct nginx_server *server, struct node *options,
                        const struct nginx_directive *first)
{
    for (const struct nginx_directive *it = first; it != NULL; it = nginx_same(it))
        for (size_t i = 0; i < it->count; i++)
            put_word(compile, server, options, &it->words[i]);
}

static bool has_regex(const struct nginx_directive *first)
{
    for (const struct nginx_directive *it = first; it != NULL; it = nginx_same(it))
        for (size_t i = 0; i < it->count; i++)
            if (str_starts(it->words[i].text, S("~")))
                return true;
    return false;
}

/* nginx replaces the names of the level outside as a whole, but keeps its expressions where the inner one has none: those of the
 * directive, and those of server_names, each for itself. */
static void keep_outer_regexes(struct nginx_compile *compile, const struct nginx_server *server, struct node *options,
                               const struct nginx_directive *own, const struct nginx_directive *outer)
{
    bool lacks_regex = !has_regex(own), lacks_hosts = node_get(options, S("hosts")) == NULL;
    for (const struct nginx_directive *it = outer; it != NULL; it = nginx_same(it))
        for (size_t i = 0; i < it->count; i++) {
            const struct nginx_word *word = &it->words[i];
            if (lacks_regex && str_starts(word->text, S("~")))
                nginx_add_text(compile, nginx_put_list(compile, options, "referers", word->span), word->text, word->span);
            else if (lacks_hosts && str_equal(word->text, S("server_names")))
                add_server_names(compile, server, options, true);
        }
}

static void put_server(struct nginx_server *server)
{
    struct nginx_compile *compile = server->compile;
    const struct nginx_directive *first = nginx_all(server->scope, "valid_referers");
    if (first == NULL)
        return;
    struct nginx_place itself = {.kind = NGINX_PLACE_SERVER, .compile = compile, .server = server, .scope = server->scope, .name = server->name};
    struct str name;
    put_options(compile, server, nginx_free_middleware(&itself, "referer", first->span, &name), first);
    nginx_add_text(compile, nginx_put_list(compile, server->site, "middlewares", first->span), name, first->span);
}

static void put_place(struct nginx_place *place)
{
    const struct nginx_directive *first = nginx_all(place->scope, "valid_referers");
    const struct nginx_directive *outer = nginx_all(place->server->scope, "valid_referers");
    if (first == NULL || first == outer)
        return;
    struct node *options = nginx_middleware(place, NGINX_CHAIN_REAL_IP, "referer", first->span);
    put_options(place->compile, place->server, options, first);
    keep_outer_regexes(place->compile, place->server, options, first, outer);
}

static const struct nginx_part part = {.name = "referer", .order = 11, .server = put_server, .place = put_place};
REGISTER(nginx_part, part);
