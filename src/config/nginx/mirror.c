/* mirror: copies of requests to other locations. */
#include "config/nginx/compile.h"

static const struct nginx_syntax rows[] = {
    {"mirror", NGINX_EVERYWHERE, .min = 1, .max = 1, .repeats = true, .help = "A path that gets a copy of each request, or off."},
    {"mirror_request_body", NGINX_EVERYWHERE, .flag = true, .help = "Whether copies have the request's body."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

static void put_place(struct nginx_place *place)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *first = nginx_all(place->scope, "mirror");
    if (first == NULL)
        return;
    struct node *options = NULL;
    for (const struct nginx_directive *it = first; it != NULL; it = nginx_same(it)) {
        bool off = str_equal(it->words[0].text, S("off"));
        if (off && nginx_same(first) != NULL)
            diag_error(compile->diag, it->span, "\"mirror\" directive is duplicate");
        if (off)
            continue;
        if (options == NULL)
            options = nginx_middleware(place, NGINX_CHAIN_PRECONTENT, "mirror", first->span);
        nginx_add_text(compile, nginx_put_list(compile, options, "uris", first->span), it->words[0].text, it->words[0].span);
    }
    if (options != NULL && !nginx_flag(place->scope, "mirror_request_body", true))
        nginx_put_flag(compile, options, "requestBody", false, nginx_find(place->scope, "mirror_request_body")->span);
}

/* Behind try_files, which may lead elsewhere. */
static const struct nginx_part part = {.name = "mirror", .order = 90, .place = put_place};
REGISTER(nginx_part, part);
