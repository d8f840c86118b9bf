/* Asks a level of nginx.conf and those around it: nginx's inheritance, without merging anything. */
#include "config/nginx/compile.h"

struct nginx_scope *nginx_scope_new(struct nginx_compile *compile, const struct nginx_directive *block,
                                    enum nginx_context context, struct nginx_scope *outer)
{
    struct nginx_scope *scope = arena_new(compile->arena, struct nginx_scope);
    scope->block = block;
    scope->context = context;
    scope->outer = outer;
    scope->made_before = compile->scopes;
    compile->scopes = scope;
    map_init(&scope->by_name, false);
    for (struct nginx_directive *it = block->first; it != NULL; it = it->next) {
        if (it->syntax != NULL && !map_has(&scope->by_name, it->name))
            map_put(&scope->by_name, it->name, it);
    }
    return scope;
}

void nginx_scopes_release(struct nginx_compile *compile)
{
    for (struct nginx_scope *scope = compile->scopes; scope != NULL; scope = scope->made_before)
        map_release(&scope->by_name);
    compile->scopes = NULL;
}

const struct nginx_directive *nginx_here(const struct nginx_scope *scope, const char *name)
{
    return scope != NULL ? map_get(&scope->by_name, str_from(name)) : NULL;
}

const struct nginx_directive *nginx_find(const struct nginx_scope *scope, const char *name)
{
    for (struct str key = str_from(name); scope != NULL; scope = scope->outer) {
        const struct nginx_directive *found = map_get(&scope->by_name, key);
        if (found != NULL)
            return found;
    }
    return NULL;
}

const struct nginx_directive *nginx_all(const struct nginx_scope *scope, const char *name)
{
    return nginx_find(scope, name);
}

const struct nginx_directive *nginx_same(const struct nginx_directive *directive)
{
    return directive->same;
}

bool nginx_flag(const struct nginx_scope *scope, const char *name, bool fallback)
{
    const struct nginx_directive *directive = nginx_find(scope, name);
    return directive != NULL && directive->count > 0 ? str_equal_nocase(directive->words[0].text, S("on")) : fallback;
}

bool nginx_parameter(const struct nginx_directive *directive, size_t from, const char *key, struct str *ret_value,
                     const struct nginx_word **ret_word)
{
    struct str wanted = str_from(key);
    for (size_t i = from; i < directive->count; i++) {
        struct str text = directive->words[i].text;
        if (!str_starts(text, wanted) || text.len == wanted.len || text.data[wanted.len] != '=')
            continue;
        *ret_value = str_from_index(text, wanted.len + 1);
        if (ret_value->data == NULL)
            *ret_value = S("");
        if (ret_word != NULL)
            *ret_word = &directive->words[i];
        return true;
    }
    return false;
}

void nginx_invalid(struct nginx_compile *compile, const struct nginx_directive *directive, const struct nginx_word *word)
{
    diag_error(compile->diag, word->span, "invalid value \"%.*s\" in \"%.*s\" directive", STR_ARGS(word->text),
               STR_ARGS(directive->name));
}

int64_t nginx_find_time(const struct nginx_place *place, const char *name, int64_t fallback_ms)
{
    const struct nginx_directive *directive = nginx_find(place->scope, name);
    int64_t value;
    if (directive == NULL || directive->count == 0)
        return fallback_ms;
    if (nginx_time(directive->words[0].text, &value))
        return value;
    nginx_invalid(place->compile, directive, &directive->words[0]);
    return fallback_ms;
}

int64_t nginx_find_size(const struct nginx_place *place, const char *name, int64_t fallback)
{
    const struct nginx_directive *directive = nginx_find(place->scope, name);
    int64_t value;
    if (directive == NULL || directive->count == 0)
        return fallback;
    if (nginx_size(directive->words[0].text, &value))
        return value;
    nginx_invalid(place->compile, directive, &directive->words[0]);
    return fallback;
}

static struct str full_path(struct nginx_compile *compile, struct str prefix, struct str path)
{
    return str_starts(path, S("/")) ? path : arena_concat(compile->arena, prefix, path);
}

struct str nginx_conf_path(struct nginx_compile *compile, struct str path)
{
    return compile->files != NULL ? full_path(compile, compile->files->conf_prefix, path) : path;
}

struct str nginx_prefix_path(struct nginx_compile *compile, struct str path)
{
    return compile->files != NULL ? full_path(compile, compile->files->prefix, path) : path;
}
