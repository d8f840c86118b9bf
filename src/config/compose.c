#include "config/compose.h"

#include <stdlib.h>

#include "base/file.h"
#include "config/compose_reader.h"
#include "config/load.h"

#define VARIABLES_FILE_MAX (1u << 20)

bool compose_is_one(const struct node *root)
{
    return node_get(root, S("services")) != NULL && node_get(root, S("http")) == NULL && node_get(root, S("entryPoints")) == NULL;
}

/* ---- files ---- */

const char *compose_beside(struct compose_reader *reader, const char *path, struct str name)
{
    ptrdiff_t slash = str_find_last_char(str_from(path), '/');
    if (slash < 0 || str_starts(name, S("/")))
        return arena_str(reader->arena, name).data;
    return arena_printf(reader->arena, "%.*s%.*s", (int)slash + 1, path, STR_ARGS(name)).data;
}

const struct node *compose_load(struct compose_reader *reader, const char *path)
{
    struct node *root = map_get(&reader->files, str_from(path));
    if (root != NULL)
        return root;
    root = load_file(path, LOAD_MAIN, reader->arena, reader->diag);
    if (root != NULL && compose_is_one(root))
        map_put(&reader->files, arena_str(reader->arena, str_from(path)), root);
    if (root == NULL || compose_is_one(root))
        return root;
    struct span span = {.source = diag_source(reader->arena, str_from(path), STR_NONE)};
    diag_error(reader->diag, span, "a Compose file has 'services' at its top");
    return NULL;
}

/* ---- networks ---- */

static void name_network(struct compose_reader *reader, const struct node *network)
{
    const struct node *external = node_get(network, S("external"));
    struct str name = compose_text(reader, node_get(network, S("name")), NULL);
    bool is_external = external != NULL && !(external->kind == NODE_SCALAR && str_equal(external->text, S("false")));
    if (str_empty(name) && external != NULL && external->kind == NODE_MAP)
        name = compose_text(reader, node_get(external, S("name")), NULL);
    if (str_empty(name) && !is_external)
        return;
    struct str *kept = arena_new(reader->arena, struct str);
    *kept = !str_empty(name) ? name : network->key;
    map_put(&reader->networks, network->key, kept);
}

static void join_default_network(struct compose_reader *reader, struct compose_service *service)
{
    if (service->networks.count != 0 || !str_empty(service->network_mode))
        return;
    const struct str *engine = map_get(&reader->networks, S("default"));
    struct str name = engine != NULL ? *engine : arena_printf(reader->arena, "%.*s_default", STR_ARGS(reader->project->name));
    VEC_PUSH(&service->networks, name);
}

/* ---- the project ---- */

/* As Compose makes it of a folder's name. */
static struct str project_name(struct compose_reader *reader, struct str text)
{
    char *out = arena_alloc(reader->arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = ascii_lower(text.data[i]);
        if (ascii_alpha(c) || ascii_digit(c) || (len != 0 && (c == '_' || c == '-')))
            out[len++] = c;
    }
    out[len] = '\0';
    return len != 0 ? str_of(out, len) : S("default");
}

static void name_project(struct compose_reader *reader, const char *path)
{
    struct str name;
    if (!variables_get(&reader->variables, S("COMPOSE_PROJECT_NAME"), &name) || str_empty(name)) {
        char *folder = realpath(compose_beside(reader, path, S(".")), NULL);
        struct str whole = folder != NULL ? arena_str(reader->arena, str_from(folder)) : STR_NONE;
        free(folder);
        name = str_from_index(whole, (size_t)(str_find_last_char(whole, '/') + 1));
    }
    reader->project->name = project_name(reader, name);
}

static struct compose_service *service_named(struct compose_reader *reader, struct str name)
{
    struct compose_service *service = map_get(&reader->services, name);
    if (service != NULL)
        return service;
    service = arena_new(reader->arena, struct compose_service);
    service->name = name;
    map_put(&reader->services, name, service);
    VEC_PUSH(&reader->project->services, service);
    return service;
}

static void read_one(struct compose_reader *reader, const char *path, const struct node *root);

static void include(struct compose_reader *reader, const struct node *file, const char *path)
{
    struct str name = compose_text(reader, file, NULL);
    if (str_empty(name))
        return;
    path = compose_beside(reader, path, name);
    read_one(reader, path, compose_load(reader, path));
}

/* "file.yml", [file.yml], [{path: file.yml}], [{path: [one.yml, override.yml]}] */
static void read_includes(struct compose_reader *reader, const struct node *includes, const char *path)
{
    for (size_t i = 0; includes != NULL && i < includes->count; i++) {
        const struct node *item = node_at(includes, i);
        const struct node *files = item->kind == NODE_MAP ? node_get(item, S("path")) : item;
        for (size_t j = 0; files != NULL && files->kind == NODE_LIST && j < files->count; j++)
            include(reader, node_at(files, j), path);
        if (files != NULL && files->kind == NODE_SCALAR)
            include(reader, files, path);
    }
}

static void read_one(struct compose_reader *reader, const char *path, const struct node *root)
{
    const struct node *services = node_get(root, S("services"));
    const struct node *networks = node_get(root, S("networks"));
    if (map_put(&reader->read, arena_str(reader->arena, str_from(path)), reader) != NULL)
        return;      /* somebody has included it, perhaps itself */
    read_includes(reader, node_get(root, S("include")), path);
    NODE_FOREACH(networks, it)
        name_network(reader, it);
    NODE_FOREACH(services, it) {
        struct compose_service *service = service_named(reader, it->key);
        service->span = it->key_span;
        compose_apply(reader, service, it, services, path);
    }
}

static void add_variables_file(struct compose_reader *reader, const char *path)
{
    struct str content;
    if (file_read(reader->arena, compose_beside(reader, path, S(".env")), VARIABLES_FILE_MAX, &content))
        variables_add_lines(&reader->variables, content);
}

bool compose_read(struct compose_project *project, const char *const *paths, size_t count, char *const *environment,
                  struct arena *arena, struct diag *diag)
{
    struct compose_reader reader = {.project = project, .arena = arena, .diag = diag};
    size_t mistakes = diag->mistakes;
    *project = (struct compose_project){.name = STR_NONE};
    variables_init(&reader.variables, environment, arena);
    map_init(&reader.services, false);
    map_init(&reader.networks, false);
    map_init(&reader.files, false);
    map_init(&reader.read, false);
    add_variables_file(&reader, paths[0]);
    name_project(&reader, paths[0]);
    for (size_t i = 0; i < count; i++) {
        const struct node *root = compose_load(&reader, paths[i]);
        struct str name = compose_text(&reader, node_get(root, S("name")), NULL);
        if (!str_empty(name))
            project->name = project_name(&reader, name);
        read_one(&reader, paths[i], root);
    }
    for (size_t i = 0; i < project->services.count; i++)
        join_default_network(&reader, project->services.items[i]);
    map_release(&reader.services);
    map_release(&reader.networks);
    map_release(&reader.files);
    map_release(&reader.read);
    variables_release(&reader.variables);
    return diag->mistakes == mistakes;
}

void compose_release(struct compose_project *project)
{
    for (size_t i = 0; i < project->services.count; i++) {
        struct compose_service *service = project->services.items[i];
        VEC_RELEASE(&service->entrypoint);
        VEC_RELEASE(&service->command);
        VEC_RELEASE(&service->labels);
        VEC_RELEASE(&service->deploy_labels);
        VEC_RELEASE(&service->environment);
        VEC_RELEASE(&service->networks);
        VEC_RELEASE(&service->ports);
    }
    VEC_RELEASE(&project->services);
}
