/* What the syntax table says of a directive, checked while reading, in nginx's words. */
#include <stdlib.h>

#include "base/memory.h"
#include "config/nginx/reader.h"

/* --- where it may stand ------------------------------------------------------------------------------ */

static const struct {
    enum nginx_context context;
    const char *name;
} context_names[] = {
    {NGINX_MAIN, "the main level"}, {NGINX_EVENTS, "events"},         {NGINX_HTTP, "http"},
    {NGINX_SERVER, "server"},       {NGINX_LOCATION, "location"},     {NGINX_SERVER_IF, "if in server"},
    {NGINX_LOCATION_IF, "if in location"}, {NGINX_LIMIT_EXCEPT, "limit_except"}, {NGINX_UPSTREAM, "upstream"},
};

/* Of all rows of that name. */
static unsigned all_contexts(struct str name)
{
    unsigned contexts = 0;
    for (size_t i = 0; i < sizeof(context_names) / sizeof(context_names[0]); i++) {
        enum nginx_context context = context_names[i].context;
        contexts |= nginx_syntax_find(name, context)->contexts & context;
    }
    return contexts;
}

static void report_place(struct nginx_reader *reader, const struct nginx_directive *directive)
{
    struct diag_item *item = diag_error(reader->diag, directive->span, "\"%.*s\" directive is not allowed here",
                                        STR_ARGS(directive->name));
    unsigned contexts = all_contexts(directive->name);
    struct text list;
    text_init(&list, 1024);
    for (size_t i = 0; i < sizeof(context_names) / sizeof(context_names[0]); i++) {
        if ((contexts & context_names[i].context) == 0)
            continue;
        contexts &= ~(unsigned)context_names[i].context;
        text_addf(&list, "%s%s", list.len == 0 ? "" : contexts == 0 ? " and " : ", ", context_names[i].name);
    }
    diag_hint(reader->diag, item, "it may stand in %s", text_c(&list));
    text_release(&list);
}

/* --- unknown ones ------------------------------------------------------------------------------------ */

/* Among what may stand here first: "lister" in a server is "listen". */
static void suggest(struct nginx_reader *reader, struct diag_item *item, struct str name, enum nginx_context context)
{
    size_t count = nginx_syntax_names(NULL, 0), fitting = 0;
    struct str *names = memory_alloc(count * sizeof(*names) + 1), *here = memory_alloc(count * sizeof(*here) + 1);
    nginx_syntax_names(names, count);
    for (size_t i = 0; i < count; i++) {
        if ((nginx_syntax_find(names[i], context)->contexts & context) != 0)
            here[fitting++] = names[i];
    }
    struct str found = nearest(name, here, fitting);
    if (str_empty(found))
        found = nearest(name, names, count);
    if (!str_empty(found))
        diag_hint(reader->diag, item, "did you mean \"%.*s\"?", STR_ARGS(found));
    free(names);
    free(here);
}

/* --- known ones -------------------------------------------------------------------------------------- */

static bool check_form(struct nginx_reader *reader, const struct nginx_directive *directive)
{
    const struct nginx_syntax *syntax = directive->syntax;
    if (syntax->block == directive->block)
        return true;
    if (syntax->block)
        diag_error(reader->diag, directive->span, "directive \"%s\" has no opening \"{\"", syntax->name);
    else
        diag_error(reader->diag, directive->span, "directive \"%s\" is not terminated by \";\"", syntax->name);
    return false;
}

/* A missing ';' makes the next line's words arguments. */
static void hint_next_line(struct nginx_reader *reader, struct diag_item *item, const struct nginx_directive *directive)
{
    struct str before = directive->name;
    uint32_t line = directive->span.line;
    for (size_t i = 0; i < directive->count; i++) {
        if (directive->words[i].span.line != line) {
            diag_hint(reader->diag, item, "is a ';' missing behind '%.*s'?", STR_ARGS(str_first(before, 60)));
            return;
        }
        before = directive->words[i].text;
    }
}

static void hint_count(struct nginx_reader *reader, struct diag_item *item, const struct nginx_syntax *syntax)
{
    if (!str_empty(item->hint))
        return;
    if (syntax->max == NGINX_MANY)
        diag_hint(reader->diag, item, "it takes %u or more", syntax->min);
    else if (syntax->min != syntax->max)
        diag_hint(reader->diag, item, "it takes %u to %u", syntax->min, syntax->max);
    else
        diag_hint(reader->diag, item, syntax->max == 0 ? "it takes none" : "it takes %u", syntax->max);
}

static bool check_count(struct nginx_reader *reader, const struct nginx_directive *directive)
{
    const struct nginx_syntax *syntax = directive->syntax;
    size_t min = syntax->flag ? 1 : syntax->min, max = syntax->flag ? 1 : syntax->max;
    if (directive->count >= min && (directive->count <= max || max == NGINX_MANY))
        return true;
    struct diag_item *item = diag_error(reader->diag, directive->span, "invalid number of arguments in \"%s\" directive",
                                        syntax->name);
    hint_next_line(reader, item, directive);
    if (syntax->flag)
        diag_hint(reader->diag, item, "it takes \"on\" or \"off\"");
    else
        hint_count(reader, item, syntax);
    return false;
}

static void check_flag(struct nginx_reader *reader, const struct nginx_directive *directive)
{
    const struct nginx_word *word = &directive->words[0];
    if (str_equal_nocase(word->text, S("on")) || str_equal_nocase(word->text, S("off")))
        return;
    diag_error(reader->diag, word->span, "invalid value \"%.*s\" in \"%s\" directive, it must be \"on\" or \"off\"",
               STR_ARGS(word->text), directive->syntax->name);
}

static void check_duplicate(struct nginx_reader *reader, const struct nginx_level *level, const struct nginx_directive *directive)
{
    if (directive->syntax->repeats)
        return;
    const struct nginx_directive *first = map_get(&level->last, directive->name);
    if (first == NULL)
        return;
    struct diag_item *item = diag_error(reader->diag, directive->span, "\"%s\" directive is duplicate", directive->syntax->name);
    if (item == &reader->diag->beyond)
        return;
    item->context = S("first given");
    item->context_span = first->span;
}

static void note(struct nginx_reader *reader, const struct nginx_directive *directive, const char *why)
{
    if (map_put(&reader->noted, directive->name, reader) == NULL)
        diag_note(reader->diag, directive->span, "\"%.*s\" has no effect: %s", STR_ARGS(directive->name), why);
}

static void check_known(struct nginx_reader *reader, const struct nginx_level *level, const struct nginx_directive *directive)
{
    if (!check_form(reader, directive) || !check_count(reader, directive))
        return;
    if (directive->syntax->flag)
        check_flag(reader, directive);
    check_duplicate(reader, level, directive);
    if (directive->syntax->noted != NULL)
        note(reader, directive, directive->syntax->noted);
}

/* --- what no table has, or only to refuse it ---------------------------------------------------------- */

/* "ssi off" asks for nothing that is missing. */
static bool asks_for_nothing(const struct nginx_directive *directive)
{
    return !directive->block && directive->count == 1 && str_equal(directive->words[0].text, S("off"));
}

static void refuse(struct nginx_reader *reader, const struct nginx_level *level, const struct nginx_directive *directive,
                   const struct nginx_syntax *syntax)
{
    const char *noted = NULL;
    const char *instead = syntax != NULL ? syntax->refused : nginx_foreign(directive->name, &noted);
    if (noted != NULL) {
        note(reader, directive, noted);
        return;
    }
    if (instead != NULL && asks_for_nothing(directive))
        return;
    struct diag_item *item = diag_error(reader->diag, directive->span, "unknown directive \"%.*s\"", STR_ARGS(directive->name));
    if (instead != NULL)
        diag_hint(reader->diag, item, "%s", instead);
    else
        suggest(reader, item, directive->name, level->context);
}

void nginx_check(struct nginx_reader *reader, const struct nginx_level *level, struct nginx_directive *directive,
                 struct nginx_level *ret_inside)
{
    ret_inside->silent = true;
    if (level->silent)
        return;
    if (level->raw) {
        if (directive->block)
            diag_error(reader->diag, directive->span, "unexpected \"{\" in this block");
        return;
    }
    const struct nginx_syntax *syntax = nginx_syntax_find(directive->name, level->context);
    if (syntax == NULL || syntax->refused != NULL) {
        refuse(reader, level, directive, syntax);
        return;
    }
    if ((syntax->contexts & level->context) == 0) {
        report_place(reader, directive);
        return;
    }
    directive->syntax = syntax;
    check_known(reader, level, directive);
    ret_inside->silent = !syntax->block;
    ret_inside->context = (enum nginx_context)syntax->inside;
    ret_inside->raw = syntax->inside == 0;
}
