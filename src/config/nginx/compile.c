#include "config/nginx/compile.h"

#include <stdlib.h>

#include "config/nginx/place.h"

#define PARTS_MAX 64

static int by_order(const void *one, const void *other)
{
    const struct nginx_part *a = *(const struct nginx_part *const *)one, *b = *(const struct nginx_part *const *)other;
    return a->order != b->order ? (a->order < b->order ? -1 : 1) : strcmp(a->name, b->name);
}

const struct nginx_part *const *nginx_parts(size_t *ret_count)
{
    static const struct nginx_part *parts[PARTS_MAX];
    static size_t count;
    if (count == 0) {
        REGISTRY_FOREACH(nginx_part, const struct nginx_part, it)
            if (count < PARTS_MAX)
                parts[count++] = *it;
        qsort(parts, count, sizeof(*parts), by_order);
    }
    *ret_count = count;
    return parts;
}

static void run_global(struct nginx_compile *compile)
{
    size_t count;
    const struct nginx_part *const *parts = nginx_parts(&count);
    for (size_t i = 0; i < count; i++)
        if (parts[i]->global != NULL)
            parts[i]->global(compile);
}

static void find_http(struct nginx_compile *compile)
{
    const struct nginx_directive *http = nginx_here(compile->main, "http");
    if (http != NULL && http->block)
        compile->http = nginx_scope_new(compile, http, NGINX_HTTP, compile->main);
}

/* log_format is asked for by name. */
static void find_formats(struct nginx_compile *compile)
{
    const struct nginx_directive *it = compile->http != NULL ? nginx_here(compile->http, "log_format") : NULL;
    for (; it != NULL; it = nginx_same(it))
        if (it->count != 0 && !map_has(&compile->formats, it->words[0].text))
            map_put(&compile->formats, it->words[0].text, (void *)(uintptr_t)it);
}

bool nginx_compile(const struct nginx_directive *tree, struct nginx_files *files, struct node *root, struct arena *arena,
                   struct diag *diag)
{
    struct nginx_compile compile = {.arena = arena, .diag = diag, .files = files, .tree = tree, .root = root};
    size_t errors = diag->errors;
    map_init(&compile.names, false);
    map_init(&compile.zones, false);
    map_init(&compile.formats, false);
    compile.main = nginx_scope_new(&compile, tree, NGINX_MAIN, NULL);
    find_http(&compile);
    find_formats(&compile);
    run_global(&compile);
    if (compile.http != NULL)
        nginx_servers(&compile);
    nginx_scopes_release(&compile);
    nginx_members_release(&compile);
    map_release(&compile.names);
    map_release(&compile.zones);
    map_release(&compile.formats);
    return diag->errors == errors;
}

struct node *nginx_load(struct str path, struct nginx_files *files, struct arena *arena, struct diag *diag)
{
    struct nginx_directive *tree = nginx_read(path, files, arena, diag);
    if (tree == NULL)
        return NULL;
    struct node *root = node_new(arena, NODE_MAP, SPAN_NONE);
    nginx_compile(tree, files, root, arena, diag);
    return root;
}
