/* try_files: holds in its own block alone. */
#include "config/nginx/static.h"

static const struct nginx_syntax rows[] = {
    {"try_files", NGINX_SERVER | NGINX_LOCATION, .min = 2, .max = NGINX_MANY, .help = "The first file that is there, or what comes last."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

static bool check_code(struct nginx_compile *compile, const struct nginx_word *last)
{
    uint64_t code;
    if (!str_starts(last->text, S("=")) || (str_to_u64(str_from_index(last->text, 1), &code) && code <= 999))
        return true;
    diag_error(compile->diag, last->span, "invalid code \"%.*s\"", STR_ARGS(last->text));
    return false;
}

static void put_try_files(struct nginx_place *place)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *directive = nginx_here(place->scope, "try_files");
    if (directive == NULL || (place->kind != NGINX_PLACE_LOCATION && place->kind != NGINX_PLACE_SERVER) || directive->count < 2)
        return;
    const struct nginx_word *last = &directive->words[directive->count - 1];
    if (!check_code(compile, last))
        return;
    struct node *options = nginx_middleware(place, NGINX_CHAIN_PRECONTENT, "tryFiles", directive->span);
    struct node *files = nginx_put_list(compile, options, "files", directive->span);
    for (size_t i = 0; i + 1 < directive->count; i++)
        nginx_add_text(compile, files, nginx_template(compile, &directive->words[i]), directive->words[i].span);
    nginx_put(compile, options, "fallback", nginx_template(compile, last), last->span);
    nginx_put_flag(compile, options, "hidden", true, directive->span);
    nginx_static_links(place, options);
}

static const struct nginx_part part = {.name = "try_files", .order = 10, .place = put_try_files};
REGISTER(nginx_part, part);
