/* `if` in a location is a location of its own: safe with instructions alone, a trap with anything else. */
#include "config/nginx/compile.h"

static bool is_instruction(const struct nginx_directive *directive)
{
    static const char *const names[] = {"return", "rewrite", "set", "break"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_equal(directive->name, str_from(names[i])))
            return true;
    }
    return false;
}

/* A return, or a rewrite that leaves: then the rest of the location does not matter. */
static bool leaves(const struct nginx_directive *block)
{
    NGINX_FOREACH(block, it) {
        struct str last = it->count > 0 ? it->words[it->count - 1].text : STR_NONE;
        bool goes = str_equal(last, S("last")) || str_equal(last, S("redirect")) || str_equal(last, S("permanent"));
        if (str_equal(it->name, S("return")) || (str_equal(it->name, S("rewrite")) && goes))
            return true;
    }
    return false;
}

/* What else stands in it holds only while no later `if` is true as well. */
static void lint_others(struct nginx_place *place)
{
    struct diag *diag = place->compile->diag;
    bool others = false;
    for (const struct nginx_directive *it = place->block->next; it != NULL; it = it->next)
        others |= str_equal(it->name, S("if")) && !leaves(it);
    NGINX_FOREACH(place->block, it) {
        if (is_instruction(it) || !others || leaves(place->block))
            continue;
        struct diag_item *item = diag_warning(diag, it->span, "where another \"if\" below is true as well, this \"%.*s\" does not hold: the last one counts",
                                              STR_ARGS(it->name));
        diag_hint(diag, item, "use map, or locations of their own");
    }
}

/* try_files is the location's own: a request in the `if` passes it by. */
static void lint_try_files(struct nginx_place *place)
{
    const struct nginx_directive *files = place->outer != NULL ? nginx_here(place->outer->scope, "try_files") : NULL;
    if (files == NULL || leaves(place->block))
        return;
    struct diag_item *item = diag_warning(place->compile->diag, place->block->span,
                                          "where this is true \"try_files\" of the location does not hold");
    if (item != &place->compile->diag->beyond) {
        item->context = S("which stands there");
        item->context_span = files->span;
    }
}

/* if (!-e $request_filename) rewrite ...: try_files says it without a trap. */
static void lint_test(const struct nginx_directive *block, struct nginx_compile *compile)
{
    static const char *const tests[] = {"-f", "-d", "-e", "!-f", "!-d", "!-e"};
    if (block->count == 0)
        return;
    struct str word = block->words[0].text;
    word = str_starts(word, S("(")) ? str_from_index(word, 1) : word;
    if (str_empty(word) && block->count > 1)
        word = block->words[1].text;
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        if (str_equal(word, str_from(tests[i])))
            diag_note(compile->diag, block->span, "\"try_files\" looks for files without an \"if\"");
    }
}

static void lint(struct nginx_place *place)
{
    if (place->kind == NGINX_PLACE_SERVER) {
        for (const struct nginx_directive *it = nginx_here(place->scope, "if"); it != NULL; it = nginx_same(it))
            lint_test(it, place->compile);
    }
    if (place->kind != NGINX_PLACE_IF)
        return;
    lint_test(place->block, place->compile);
    lint_others(place);
    lint_try_files(place);
}

static const struct nginx_part part = {.name = "lint-if", .order = 100, .lint = lint};
REGISTER(nginx_part, part);
