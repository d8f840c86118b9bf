/* allow, deny, satisfy, limit_except: how the guards of a place stand together. */
#include "config/nginx/guards.h"

#include "net/addr.h"

#define NGINX_ACCESS (NGINX_EVERYWHERE | NGINX_LIMIT_EXCEPT)

static const struct nginx_syntax rows[] = {
    {"allow", NGINX_ACCESS, .min = 1, .max = 1, .repeats = true, .help = "An address or network that may pass; all; unix:."},
    {"deny", NGINX_ACCESS, .min = 1, .max = 1, .repeats = true, .help = "An address or network that may not pass; all; unix:."},
    {"satisfy", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "all: every guard must let a request in; any: one of them."},
    {"limit_except", NGINX_LOCATION, .min = 1, .max = NGINX_MANY, .block = true, .inside = NGINX_LIMIT_EXCEPT,
     .help = "Guards for all methods but these; GET stands for HEAD as well."},
    {"auth_delay", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "How long a 401 is held back."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

/* ---- addresses ---- */

/* Of one level, both kinds in the order in which they stand. */
static bool is_rule(const struct nginx_directive *directive)
{
    return (str_equal(directive->name, S("allow")) || str_equal(directive->name, S("deny"))) && directive->count != 0;
}

static const struct nginx_scope *level_of_rules(const struct nginx_scope *scope)
{
    while (scope != NULL && nginx_here(scope, "allow") == NULL && nginx_here(scope, "deny") == NULL)
        scope = scope->outer;
    return scope;
}

static void put_rule(struct nginx_compile *compile, struct node *list, const struct nginx_directive *directive)
{
    const struct nginx_word *word = &directive->words[0];
    struct network network;
    if (!str_equal(word->text, S("all")) && !str_equal(word->text, S("unix:")) && !network_parse(word->text, &network)) {
        diag_error(compile->diag, word->span, "invalid parameter \"%.*s\"", STR_ARGS(word->text));
        return;
    }
    nginx_put_named(compile, nginx_add_map(compile, list, directive->span), directive->name, word->text, word->span);
}

/* Where another guard may still let a request in, whoever asks them all tells the log. */
static void add_address_rules(struct nginx_place *place, const struct nginx_scope *scope, bool alone, struct node *list)
{
    const struct nginx_scope *level = level_of_rules(scope);
    struct node *options = NULL, *rules = NULL;
    struct str name;
    NGINX_FOREACH(level != NULL ? level->block : NULL, it) {
        if (!is_rule(it))
            continue;
        if (options == NULL) {
            options = nginx_free_middleware(place, "access", it->span, &name);
            rules = nginx_put_list(place->compile, options, "rules", it->span);
            nginx_add_text(place->compile, list, name, it->span);
        }
        put_rule(place->compile, rules, it);
    }
    if (options != NULL && !alone)
        nginx_put_flag(place->compile, options, "logRefusals", false, level->block->span);
}

/* ---- together ---- */

static bool any_is_enough(struct nginx_compile *compile, const struct nginx_scope *scope)
{
    const struct nginx_directive *satisfy = nginx_find(scope, "satisfy");
    if (satisfy == NULL || str_equal(satisfy->words[0].text, S("all")))
        return false;
    if (!str_equal(satisfy->words[0].text, S("any")))
        nginx_invalid(compile, satisfy, &satisfy->words[0]);
    return true;
}

/* The names of the guards that hold in `scope`, one or several in order. */
static void add_guards(struct nginx_place *place, const struct nginx_scope *scope, struct node *list)
{
    struct nginx_compile *compile = place->compile;
    bool any = any_is_enough(compile, scope);
    struct node *guards = node_new(compile->arena, NODE_LIST, scope->block->span);
    add_address_rules(place, scope, !any, guards);
    nginx_add_basic_auth(place, scope, guards);
    nginx_add_auth_request(place, scope, guards);
    if (any && guards->count > 1) {
        struct span span = nginx_find(scope, "satisfy")->span;
        struct str name;
        struct node *options = nginx_free_middleware(place, "anyOf", span, &name);
        struct node *members = nginx_put_list(compile, options, "guards", span);
        NODE_FOREACH(guards, it)
            nginx_add_text(compile, members, it->text, it->span);
        nginx_add_text(compile, list, name, span);
        return;
    }
    NODE_FOREACH(guards, it)
        nginx_add_text(compile, list, it->text, it->span);
}

static void add_by_method(struct nginx_place *place, const struct nginx_directive *except, struct node *list)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_scope *inside = nginx_scope_new(compile, except, NGINX_LIMIT_EXCEPT, place->scope);
    struct str name;
    struct node *options = nginx_free_middleware(place, "methods", except->span, &name);
    struct node *methods = nginx_put_list(compile, options, "methods", except->span);
    for (size_t i = 0; i < except->count; i++)
        nginx_add_text(compile, methods, except->words[i].text, except->words[i].span);
    struct node *named = node_new(compile->arena, NODE_LIST, except->span);
    add_guards(place, place->scope, named);
    if (named->count != 0) {
        struct node *members = nginx_put_list(compile, options, "middlewares", except->span);
        NODE_FOREACH(named, it)
            nginx_add_text(compile, members, it->text, it->span);
    }
    add_guards(place, inside, nginx_put_list(compile, options, "others", except->span));
    nginx_add_text(compile, list, name, except->span);
}

static void put_delay(struct nginx_place *place)
{
    const struct nginx_directive *delay = nginx_find(place->scope, "auth_delay");
    int64_t ms = nginx_find_time(place, "auth_delay", 0);
    if (ms != 0)
        nginx_put_time(place->compile, nginx_middleware(place, NGINX_CHAIN_ACCESS, "authDelay", delay->span), "delay", ms,
                       delay->words[0].span);
}

static void put_place(struct nginx_place *place)
{
    const struct nginx_directive *except = nginx_here(place->scope, "limit_except");
    struct node *list = node_new(place->compile->arena, NODE_LIST, place->block->span);
    if (except != NULL)
        add_by_method(place, except, list);
    else
        add_guards(place, place->scope, list);
    if (list->count == 0)
        return;
    put_delay(place);
    struct node **chain = &place->chain[NGINX_CHAIN_ACCESS];
    if (*chain == NULL)
        *chain = node_new(place->compile->arena, NODE_LIST, place->block->span);
    NODE_FOREACH(list, it)
        nginx_add_text(place->compile, *chain, it->text, it->span);
}

static const struct nginx_part part = {.name = "access", .order = 30, .place = put_place};
REGISTER(nginx_part, part);
