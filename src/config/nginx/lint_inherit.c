/* Lists that a level replaces as a whole: one add_header in a location, and those of the server hold there no more. */
#include "config/nginx/compile.h"

#define NAMES_SHOWN 400

static const struct {
    const char *name;
    const char *meant;            /* what is lost; for people */
} lists[] = {
    {"proxy_set_header", "fields"},
    {"grpc_set_header", "fields"},
    {"proxy_hide_header", "fields"},
    {"proxy_cookie_flags", "cookies"},
    {"set_real_ip_from", "addresses"},
};

static bool is_given(const struct nginx_directive *first, struct str name)
{
    for (const struct nginx_directive *it = first; it != NULL; it = nginx_same(it)) {
        if (it->count > 0 && str_equal_nocase(it->words[0].text, name))
            return true;
    }
    return false;
}

static void lint_list(struct nginx_place *place, size_t index)
{
    const struct nginx_directive *here = nginx_here(place->scope, lists[index].name);
    const struct nginx_directive *outside = here != NULL ? nginx_all(place->scope->outer, lists[index].name) : NULL;
    struct text names;
    size_t count = 0;
    text_init(&names, NAMES_SHOWN);
    for (const struct nginx_directive *it = outside; it != NULL; it = nginx_same(it)) {
        if (it->count == 0 || is_given(here, it->words[0].text))
            continue;
        text_addf(&names, "%s%.*s (line %u)", count++ > 0 ? ", " : "", STR_ARGS(it->words[0].text), it->span.line);
    }
    if (count > 0) {
        struct diag_item *item = diag_warning(place->compile->diag, here->span, "\"%s\" here drops the %s of the level outside: %s%s",
                                              lists[index].name, lists[index].meant, text_c(&names), names.overflow ? "..." : "");
        diag_hint(place->compile->diag, item, "repeat them here where they are to hold");
    }
    text_release(&names);
}

static void lint(struct nginx_place *place)
{
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        lint_list(place, i);
}

static const struct nginx_part part = {.name = "lint-inherit", .order = 100, .lint = lint};
REGISTER(nginx_part, part);
