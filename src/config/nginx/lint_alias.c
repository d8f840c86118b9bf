/* alias takes the place of the location's path, so both must end alike: else paths lead out of the folder. */
#include "config/nginx/compile.h"

static void lint(struct nginx_place *place)
{
    const struct nginx_directive *alias = nginx_here(place->scope, "alias");
    if (alias == NULL || alias->count == 0 || place->kind != NGINX_PLACE_LOCATION || place->regex || place->named || place->exact ||
        nginx_has_variables(alias->words[0].text))
        return;
    struct str path = place->path, folder = alias->words[0].text;
    bool outer = str_ends(path, S("/")), inner = str_ends(folder, S("/"));
    if (outer == inner)
        return;
    struct diag *diag = place->compile->diag;
    struct diag_item *item;
    if (inner) {
        item = diag_warning(diag, place->block->span, "\"%.*s../x\" is \"%.*s../x\": with nginx requests get out of the folder, here they get 404", STR_ARGS(path),
                            STR_ARGS(folder));
        diag_hint(diag, item, "write location %.*s/", STR_ARGS(path));
    } else {
        item = diag_warning(diag, alias->words[0].span, "\"%.*sfile\" is \"%.*sfile\"", STR_ARGS(path), STR_ARGS(folder));
        diag_hint(diag, item, "the location ends with a slash: so should this");
    }
}

static const struct nginx_part part = {.name = "lint-alias", .order = 100, .lint = lint};
REGISTER(nginx_part, part);
